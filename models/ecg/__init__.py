"""The ECG beat model."""
