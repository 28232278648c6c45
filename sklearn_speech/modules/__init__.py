"""Networks and front ends as plain torch modules.

They know neither scikit-learn nor skorch, and work in any training loop.
"""
