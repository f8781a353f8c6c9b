# Shortcuts; each line is what one would type anyway.
.PHONY: test check bench ci

test:
	python -m pytest

check:
	ruff check . && ruff format --check . && mypy

bench:
	python benchmarks/run.py

ci:
	.ci/run
