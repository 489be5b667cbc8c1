"""How models/ecg is made: data, synthetic rhythms, net, training, export, evaluation (extra `train`)."""
