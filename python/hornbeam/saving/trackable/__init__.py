"""Models, optimizers and other objects in TensorFlow's checkpoints, which hold a graph of objects beside the tensors.

graph.py         the objects in a checkpoint, and the names of their parts
objects.py, optimizers.py    what the parts of ours are called there
matching.py      which tensor is the value of which variable
restoring.py, writing.py     from a checkpoint to objects, and back
checkpoint.py, saver.py      ``tf.train``'s classes that do so
"""
