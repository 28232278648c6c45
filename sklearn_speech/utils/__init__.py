"""Shared helpers: validation, seeding, devices, files."""
