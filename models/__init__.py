"""Models as packages: weights, meaning, card, and the recipe that trained them."""
