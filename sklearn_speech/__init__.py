"""Scikit-learn estimators for speech classification.

Speech clips in, scikit-learn estimators all the way, honest scores on speakers
never heard before. Public names load on first use, so that importing the
package costs neither torch, nor skorch, nor optuna.
"""

import lazy_loader

__version__ = "0.1.0.dev0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
