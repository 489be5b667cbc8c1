"""How the vision package was made: data, net, training, export."""
