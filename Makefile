# Short names for run.py; it needs nothing but Python.
.PHONY: demo test check format messages

demo test check format messages:
	python3 run.py $@
