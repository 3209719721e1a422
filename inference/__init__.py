"""A bundle becomes a session: manifest, providers, ONNX Runtime, the rolling context. Without torch."""
