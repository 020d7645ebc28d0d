"""Say at once when the interpreter cannot carry the project. Runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "aiplatform.eks needs Python 3.11 or newer; %s is %d.%d. Name another one: make PYTHON=python3.11 ..."
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
try:
    import ensurepip
    import venv
except ImportError as error:
    sys.exit("%s cannot make a virtual environment (%s): install your system's python3-venv." % (sys.executable, error))
print("%s %s %s" % (sys.executable, venv.__name__, ensurepip.version()))
