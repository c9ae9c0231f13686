"""Programs run inside the environment, started by the runner as `python -m runner.inside.…`."""
