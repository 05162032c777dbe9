"""The planted faults: one exact replacement each.

name; file under cl/; old and new text; op that shows it; options of `cairn check`; simulator: look with Oclgrind."""
FAULTS = [
    dict(name="an index", file="im2col.cl", op="im2col",
         old="x[x_off + (plane * h + r) * w + q]", new="x[x_off + (plane * w + r) * w + q]"),
    dict(name="a missing barrier", file="softmax.cl", op="softmax", simulator=True,
         old="        barrier(CLK_LOCAL_MEM_FENCE); /* lane[] and place[] are free for the next row */\n", new=""),
    dict(name="a wrong padding", file="im2col.cl", op="col2im",
         old="r = row + pad_t, q = (int)s - row * w + pad_l", new="r = row + pad_t, q = (int)s - row * w + pad_t"),
    dict(name="a swapped stride", file="pool.cl", op="pool",
         old="        long top = (long)o * stride_h - pad_t, left = (long)q * stride_w - pad_l;",
         new="        long top = (long)o * stride_w - pad_t, left = (long)q * stride_h - pad_l;"),
    dict(name="mad for fma", file="exact.h", op="sgd",
         old="#define FMA(a, b, c) fma(a, b, c)", new="#define FMA(a, b, c) mad(a, b, c)"),
    dict(name="a wrong seed", file="dropout.cl", op="dropout",
         old="philox_block(seed, stream, step, block)", new="philox_block(seed & 0xfffffffful, stream, step, block)"),
    dict(name="a lost NaN", file="activation.cl", op="activation",
         old="y[y_off + i] = RELU(v);", new="y[y_off + i] = v > 0.0f ? v : 0.0f;"),
]
