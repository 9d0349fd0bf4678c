"""What Keras 2 kept for Keras 1 code: old spellings of arguments."""
