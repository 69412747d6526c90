"""Networks, their weights, and the one way in which images reach them.

model.py        a network with the images that it is fed; forward, init
zoo.py          networks by name; how to bring one of your own
resnet.py ...   the networks, made of layers.py, conv.py and winograd.py
rules.py        where each parameter stands in a file of weights
weights.py      files of weights into networks; weight_files.py reads and writes them
"""
