# Each target sets up all that it needs, in .venv; docs/building.md tells how.
.PHONY: setup build demo test faults soak lint bench colcon clean

setup build:
	@scripts/setup.sh

# make demo INPUT=talk.mp4 ARGS="--attitude positive"
demo:
	@scripts/setup.sh -- listener_head demo $(if $(INPUT),--input "$(INPUT)") $(ARGS)

# make test ARGS="test/audio -k librosa"
test:
	@scripts/setup.sh train evaluation test -- scripts/test.sh $(ARGS)

# the fault tests as long as they are meant: 5,000 malformed messages per topic, and the camera away for 10 s
faults:
	@scripts/setup.sh train evaluation test -- env LISTENER_HEAD_FAULTS=full python -m pytest --timeout 1800 test/faults $(ARGS)

# make soak MINUTES=60
soak:
	@scripts/setup.sh -- listener_head soak --minutes $(or $(MINUTES),60) $(ARGS)

lint:
	@scripts/setup.sh dev -- bash -ec 'ruff check . && ruff format --check . && mypy'

bench:
	@scripts/setup.sh train evaluation test -- listener_head bench $(ARGS)

colcon:
	@scripts/setup.sh test colcon -- scripts/colcon.sh

clean:
	rm -rf .venv build install log out
