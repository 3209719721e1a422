// The address by which another device opens this page, and its QR code, where the page is served to the network.

export class Phone {
  constructor(parts) {
    this.parts = parts;
  }

  async refresh() {
    const answer = await fetch("/api/invitation");
    if (!answer.ok) return;
    const { address, warning } = await answer.json();
    const { part, none, code, address: link, warning: text } = this.parts;
    part.hidden = !address;
    none.hidden = Boolean(address);
    if (!address) return;
    code.src = "/api/invitation.svg";
    link.href = link.textContent = address;
    text.textContent = warning;
  }
}
