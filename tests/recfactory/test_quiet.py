"""TensorFlow starts without a word, and its errors are still heard."""

import subprocess
import sys


def test_nothing_is_said_at_start_and_errors_pass():
    script = (
        "import sys\n"
        "from recfactory.quiet import import_tensorflow_quietly\n"
        "import_tensorflow_quietly()\n"
        "import tensorflow as tf\n"
        "print(int(tf.constant(2) + 1))\n"
        "print('heard', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
    assert done.stderr == "heard\n"
