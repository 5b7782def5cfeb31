# Each target sets up all that it needs, in .venv; docs/building.md tells how.
.PHONY: setup build demo test lint bench colcon clean

setup build:
	@scripts/setup.sh

# make demo INPUT=talk.mp4 ARGS="--attitude positive"
demo:
	@scripts/setup.sh -- listener_head demo $(if $(INPUT),--input "$(INPUT)") $(ARGS)

# make test ARGS="test/audio -k librosa"
test:
	@scripts/setup.sh train evaluation test -- scripts/test.sh $(ARGS)

lint:
	@scripts/setup.sh dev -- bash -ec 'ruff check . && ruff format --check . && mypy'

bench:
	@scripts/setup.sh train evaluation test -- listener_head bench $(ARGS)

colcon:
	@scripts/setup.sh test colcon -- scripts/colcon.sh

clean:
	rm -rf .venv build install log out
