"""Networks, front ends and augmentations as plain torch modules.

They know neither scikit-learn nor skorch, and work in any training loop.
"""
