"""The model of the smallest recipe that trains."""

SMALL_MODEL = """
precision = "fp32"
compile = false
[model]
layers = 1
heads = 2
width = 16
context = 64
"""
