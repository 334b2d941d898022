"""Runs inside Home Assistant, where the tests put it: as many lights, switches and sensors as a large house has."""
