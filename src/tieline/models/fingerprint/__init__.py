"""Fingerprints of specimens from many modalities, and the laws of physics that they follow."""

from tieline.models.fingerprint import physics as physics
