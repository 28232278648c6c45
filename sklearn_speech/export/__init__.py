"""A fitted pipeline as one ONNX file, and an estimator that needs no torch to run it.

Names load on first use: reading and running a file costs neither torch nor scikit-learn.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
