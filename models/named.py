"""What the nets of all recipes have in common: trained parameters under names, in and out as arrays."""


class Named:
    """names: {name: variable of TensorFlow}."""

    def size(self):
        """Number of trained parameters."""
        return sum(int(variable.shape.num_elements()) for variable in self.names.values())

    def weights(self):
        """{name: array}."""
        return {name: variable.numpy() for name, variable in self.names.items()}

    def load(self, weights):
        """Take over {name: array}."""
        for name, variable in self.names.items():
            variable.assign(weights[name])
