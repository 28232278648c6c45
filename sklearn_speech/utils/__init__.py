"""Validation, seeding and devices: what every estimator of the library shares."""
