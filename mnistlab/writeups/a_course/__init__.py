"""Write-up A, a laboratory course: from a hand-written MLP to transfer learning.

by_hand      A1 to A8    embeddings, the MLP in NumPy, the SVM, and which is better
simple_cnn   A9 to A12   SimpleCNN in torch, optimizers, schedules; A15's exercises on it
transfer     A13, A14    networks pretrained on photographs; A15's other backbones
"""
