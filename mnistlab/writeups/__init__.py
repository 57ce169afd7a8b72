"""The recipes and studies of five published write-ups on MNIST and Fashion-MNIST.

    a_course           A  a laboratory course: from an MLP by hand to transfer learning
    b_double_softmax   B  a Fashion-MNIST MLP, its batch size, and a softmax applied twice
    c_portfolio        C  a portfolio study: fourteen networks and a final model
    d_layered_mlp      D  a layered MLP in NumPy, tuned
    e_case_study       E  an MNIST case study: three models of growing capacity

docs/systems.md lists the rows (A1, B3, ...) with their published and measured results. These
modules import nothing but `mnistlab` and the standard library, as a user's own recipes would.
"""
