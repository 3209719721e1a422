"""The daemon: ports, clock, session, performers, scheduler and offline commands.

It imports neither torch nor the trainer.
"""
