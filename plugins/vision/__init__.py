"""Vision: a cheap look at the whole frame decides where the model looks closely."""
