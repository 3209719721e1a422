"""Playing live: the engine on ports that come and go."""
