"""What threads share: clocks, the inbox, due times, priorities, restarts, logs. It knows nothing of music."""
