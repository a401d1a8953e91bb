"""Whole models side by side: ours, onnxruntime, OpenVINO. See ../versus_peers.py."""
