"""The names and the size of the pictures that the tests of the command choose from."""

ODD = ("höhe/日本 語.png", "<b>&.png", "deep/down/a b.png", "deep/$x_1$.png")
SIDE = 32
