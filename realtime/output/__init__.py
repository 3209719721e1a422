"""The output: due events in order, what sounds, what goes to the port and when."""
