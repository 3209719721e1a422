"""From a checkpoint to a bundle: ONNX graphs with a cache that is written in place, verified against PyTorch."""
