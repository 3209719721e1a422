// Whether a file that is dropped or chosen can be worked on at all: asked before anything else is.

const mebibytes = (bytes) => `${Number((bytes / 2 ** 20).toFixed(1))} MiB`;

// What can be done with a file: {tasks}, or {fault} with the way out. `largest` is in bytes.
export async function look(file, largest) {
  if (file.size > largest) {
    const most = `a file for this page has at most ${mebibytes(largest)}: the commands in a terminal take larger ones`;
    return { fault: `it has ${mebibytes(file.size)}, and ${most}` };
  }
  const data = await file.arrayBuffer().catch(() => null);
  if (data === null) return { fault: "it cannot be read (a folder, perhaps, or it has gone): choose a file" };
  const sent = { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: data };
  const answer = await fetch(`/api/file?${new URLSearchParams({ name: file.name })}`, sent).catch(() => null);
  if (!answer) return { fault: "pianod is not there: start it again, and drop the file once more" };
  if (!answer.ok) return { fault: await answer.text() };
  const { tasks, fault } = await answer.json();
  return fault ? { fault } : { tasks };
}
