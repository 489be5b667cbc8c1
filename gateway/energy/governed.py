"""A model whose variant is chosen by the energy policy, job by job."""

from gateway.core.errors import ModelError
from gateway.core.plugin import Model
from gateway.energy import descent


class GovernedModel(Model):
    """model: a PackageModel or a domain's own rules; c: its JobClass. infer() gives None for a job that is refused. counters: see the
    governor."""

    def __init__(self, model, c, governor):
        super().__init__(model.options, model.context)
        self.model, self.c, self.governor = model, c, governor

    def infer(self, features):
        """Inference by the variant that the policy chose, or None."""
        governor, c = self.governor, self.c
        began = governor.now_us()
        arrived = governor.arrived(c)
        while True:
            index = governor.choose(c, arrived)
            if index < 0:
                return None
            if self._ready(c.variants[index]):
                break
        inference = self.model.infer(features)
        if inference.variant != c.variants[index].name:
            index = self._fell(c.variants[index], inference.variant)
        governor.done(c, index, governor.now_us() - began, arrived)
        return inference

    def _ready(self, variant):
        """Whether the variant runs; one whose device does not answer is lost for a while. Without a device the model's own
        fall-back has chosen, and that stands."""
        if not hasattr(self.model, "switch"):
            return True
        try:
            self.model.switch(variant.name)
        except ModelError as error:
            if variant.device and variant.device not in self.governor.policy.lost:
                descent.lose(self.governor, variant.device, str(error))
                return False
        return True

    def _fell(self, wanted, ran):
        """Index of what ran in place of what was wanted."""
        if wanted.device:
            descent.lose(self.governor, wanted.device, "%s ran in place of %s" % (ran, wanted.name))
        names = [variant.name for variant in self.c.variants]
        return names.index(ran) if ran in names else 0

    def forget(self, stream):
        """As the model's own."""
        self.model.forget(stream)
