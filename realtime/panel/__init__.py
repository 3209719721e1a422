"""The panel: a page, served by the daemon itself, that shows, steers and plays it. A client of the control API."""
