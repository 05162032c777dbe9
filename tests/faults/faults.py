"""The planted faults: one exact replacement each.

name; file under cl/; old and new text; op that shows it; options of `cairn check`; simulator: look with Oclgrind, because the
results on PoCL stay right; suffix: put behind each line tried there."""
FAULTS = [
    # One row too many is read; what it gives is thrown away.
    dict(name="a bound", file="gemm.cl", op="gemm", simulator=True, suffix=" variant=gpu",
         old="if (k < depth && line < lines) {", new="if (k < depth && line <= lines) {"),
    dict(name="an index", file="pool.cl", op="pool_grad",
         old="ulong at = plane + (ulong)o * ow + c;", new="ulong at = plane + (ulong)o * ow + q0;"),
    dict(name="a lost bias", file="gemm-slabs.cl", op="gemm", options=["--cases", "60", "--variant", "small"],
         old="    if (bias_kind) x = x + bias;\n", new=""),
    # PoCL puts a barrier of its own at the end of such a loop.
    dict(name="a missing barrier", file="gemm.cl", op="gemm", simulator=True, suffix=" variant=gpu",
         old="            barrier(CLK_LOCAL_MEM_FENCE);\n        }\n", new="        }\n"),
    dict(name="a wrong padding", file="im2col.cl", op="col2im",
         old="r = row + pad_t, q = (int)s - row * w + pad_l", new="r = row + pad_t, q = (int)s - row * w + pad_t"),
    dict(name="a swapped stride", file="pool.cl", op="pool",
         old="        long top = (long)o * stride_h - pad_t, left = (long)q * stride_w - pad_l;",
         new="        long top = (long)o * stride_w - pad_t, left = (long)q * stride_h - pad_l;"),
    dict(name="mad for fma", file="gemm-small.cl", op="gemm", options=["--cases", "60", "--variant", "small"],
         old="s = FMA(row[", new="s = mad(row["),
    dict(name="a dropped last block", file="gemm-small.cl", op="gemm", options=["--cases", "60", "--variant", "small"],
         old="for (long kb = k0; kb < k_end; kb += BLOCK) {", new="for (long kb = k0; kb == k0 || kb + BLOCK <= k_end; kb += BLOCK) {"),
    dict(name="another group's channel", file="conv.cl", op="conv", options=["--cases", "60", "--variant", "direct-gpu"],
         old="channel / o_each * c_each) * ((ulong)h * w);", new="channel / c_each * c_each) * ((ulong)h * w);"),
    # Padding must take part: an infinite weight over it gives NaN.
    dict(name="padding left out", file="conv.cl", op="conv", options=["--cases", "300", "--variant", "direct-cpu"],
         old="                        s = FMA16((float16)*tap++, seen, s);",
         new="                        s = r >= 0 && r < h ? FMA16((float16)*tap, seen, s) : s, tap++;"),
    # The same where the padding is left out of the sums on purpose, and its opposite for data.
    dict(name="padding forgotten", file="conv-cpu.cl", op="conv", options=["--cases", "150", "--variant", "batch-cpu"],
         old="        if (bad) {\n", new="        if (bad && kc < 0) {\n"),
    dict(name="a tap beyond the image", file="conv-cpu.cl", op="conv_data", options=["--cases", "150", "--variant", "batch-cpu"],
         old="int masked = data && bad &&", new="int masked = data && bad && kc < 0 &&"),
    dict(name="two slabs as one", file="conv-cpu.cl", op="conv", options=["--cases", "300", "--variant", "batch-cpu"],
         old="group_k = data ? o_each : SLAB", new="group_k = data ? o_each : 2 * SLAB"),
    dict(name="a wrong seed", file="philox.h", op="dropout",
         old="(uint2)((uint)seed, (uint)(seed >> 32))", new="(uint2)((uint)seed, (uint)seed)"),
    dict(name="a lost NaN", file="activation.cl", op="activation",
         old="y[y_off + i] = RELU(v);", new="y[y_off + i] = v > 0.0f ? v : 0.0f;"),
    # Seen only where a plane is cut into blocks of rows.
    dict(name="a skipped row", file="conv.cl", op="conv_data", options=["--cases", "100", "--variant", "direct-cpu"],
         old="int begin = (int)(t - p * blocks) * rows, stop = MIN(begin + rows, h);",
         new="int begin = (int)(t - p * blocks) * (rows + 1), stop = MIN(begin + rows, h);"),
    dict(name="a dropped odd tap", file="pool-mean.cl", op="pool", options=["--cases", "100", "--variant", "cpu"],
         old="if (j < kw) sum = sum + ODD##N(vload##TWICE(0, plane + at + j - 1));", new=""),
    # Wrong only where a work-item joins more than one chunk.
    dict(name="an unaligned subtree", file="chunks.h", op="batchnorm_stats",
         old="tree_push(level, n - begin, part[n * c]);", new="tree_push(level, n, part[n * c]);"),
    dict(name="the next channel's element", file="chunks.h", op="reduce", options=["--cases", "100", "--variant", "cpu"],
         old="int16 mine = CHUNK_PLACES < some;", new="int16 mine = CHUNK_PLACES <= some;"),
    dict(name="the next channel's mean", file="batchnorm.cl", op="batchnorm", options=["--cases", "100", "--variant", "cpu"],
         old="l = (uint)(first - j * n2);", new="l = 0;"),
    dict(name="a NaN lost in a fold", file="row.h", op="loss", options=["--cases", "100", "--variant", "group"],
         old="lane[l] = MAX_OF(lane[l], lane[l + h]);", new="lane[l] = lane[l] > lane[l + h] ? lane[l] : lane[l + h];"),
    dict(name="a counter of 32 bits", file="augment.cl", op="augment",
         old="philox_block(seed, stream, step, first + (image));", new="philox_block(seed, stream, step, (uint)(first + (image)));"),
    dict(name="a NaN that clips", file="optimizer.cl", op="clip",
         old="if (i < count && norm > limit) {", new="if (i < count && !(norm <= limit)) {"),
]
