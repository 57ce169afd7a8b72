"""Write-up C, a portfolio study: fourteen networks, a final model, a submission file.

    fourteen   C1 to C14   seven feed-forward and seven convolutional networks
    final      C17         the final model, in three phases

What its code does, to the letter: images are padded to 32 x 32 and used raw, 0 to 255. Each
becomes four adjacent images (flipped, zoomed), in the validation part too. Batches are taken in
file order, never shuffled. Optimizers are torch's at their default rate of 0.001. At most 30
epochs, patience 3 on the accuracy of the fourfold validation part, the best weights saved.
Decision 0023 says more. Studies measure what scaling, shuffling and stratifying would have gained.
"""
