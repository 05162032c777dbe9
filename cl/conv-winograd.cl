/* Convolutions 3 x 3 by F(2 x 2, 3 x 3) (Winograd 1980; Lavin and Gray 2016): 16 multiplications for the 36 of four neighbouring
 * results. For fast arithmetic: its roundings are not those of a convolution.
 *
 *     results = A' [ sum over channels of (G g G') * (B' d B) ] A        d: 4 x 4 of the source, g: the kernel, * element by element
 *
 *     B' = 1  0 -1  0      G = 1    0    0        A' = 1  1  1  0
 *          0  1  1  0          1/2  1/2  1/2           0  1 -1 -1
 *          0 -1  1  0          1/2 -1/2  1/2
 *          0  1  0 -1          0    0    1
 *
 * u[16][rows][k] and v[16][k][tiles] make m[16][rows][tiles] by 16 products. Tile (image, i, j) has the results (2 i, 2 j) to (2 i + 1,
 * 2 j + 1). The gradient of the data is the same with kernels that are turned and whose channels are exchanged. */
#include "exact.h"

static inline float finish(float x, int act)
{
    if (act == 1) return RELU(x);
    if (act == 2) return exact_tanh(x);
    if (act == 3) return exact_sigmoid(x);
    return x;
}

/* u of row r and term k: kernel (r, k) of weight[r][k][9]; turned: (k, r) of weight[k][r][9], from its last tap to its first. */
__kernel void winograd_weights(__global const float *weight, ulong weight_at, __global float *u, ulong u_at, int rows, int terms,
                               int turned)
{
    int count = rows * terms;
    for (int e = (int)get_global_id(0); e < count; e += (int)get_global_size(0)) {
        int r = e / terms, k = e - r * terms;
        __global const float *g = weight + weight_at + (ulong)(turned ? k * rows + r : e) * 9;
        __global float *to = u + u_at + e;
        float t[4][3];
        for (int j = 0; j < 3; j++) {
            float g0 = g[turned ? 8 - j : j], g1 = g[turned ? 5 - j : 3 + j], g2 = g[turned ? 2 - j : 6 + j];
            t[0][j] = g0;
            t[1][j] = 0.5f * (g0 + g1 + g2);
            t[2][j] = 0.5f * (g0 - g1 + g2);
            t[3][j] = g2;
        }
        for (int i = 0; i < 4; i++) {
            to[(ulong)(4 * i) * count] = t[i][0];
            to[(ulong)(4 * i + 1) * count] = 0.5f * (t[i][0] + t[i][1] + t[i][2]);
            to[(ulong)(4 * i + 2) * count] = 0.5f * (t[i][0] - t[i][1] + t[i][2]);
            to[(ulong)(4 * i + 3) * count] = t[i][2];
        }
    }
}

/* v of `planes` = images x channels planes of h x w: item e makes `run` tiles of a row of them. The source's element (0, 0) lies
 * (before_h, before_w) behind the first of tile (0, 0); what is outside is 0. */
__kernel void winograd_source(__global const float *x, ulong x_at, __global float *v, ulong v_at, long items, int run, int channels,
                              int h, int w, int down, int across, int before_h, int before_w, long tiles)
{
    int runs = (across + run - 1) / run;
    for (long e = (long)get_global_id(0); e < items; e += (long)get_global_size(0)) {
        long row = e / runs, plane = row / down;
        int j0 = (int)(e - row * runs) * run, i = (int)(row - plane * down);
        int image = (int)(plane / channels), channel = (int)(plane - (long)image * channels);
        int y0 = 2 * i - before_h, j_end = min(j0 + run, across);
        __global const float *from = x + x_at + plane * h * w;
        __global float *to = v + v_at + (ulong)channel * (ulong)tiles + (ulong)((image * down + i) * across);
        ulong step = (ulong)channels * (ulong)tiles;
        for (int j = j0; j < j_end; j++) {
            float t[4][4];
            for (int b = 0; b < 4; b++) {
                int column = 2 * j - before_w + b;
                float d[4];
                for (int a = 0; a < 4; a++) {
                    int inside = y0 + a >= 0 && y0 + a < h && column >= 0 && column < w;
                    d[a] = inside ? from[(y0 + a) * w + column] : 0.0f;
                }
                t[0][b] = d[0] - d[2];
                t[1][b] = d[1] + d[2];
                t[2][b] = d[2] - d[1];
                t[3][b] = d[1] - d[3];
            }
            for (int a = 0; a < 4; a++) {
                to[(ulong)(4 * a) * step + (ulong)j] = t[a][0] - t[a][2];
                to[(ulong)(4 * a + 1) * step + (ulong)j] = t[a][1] + t[a][2];
                to[(ulong)(4 * a + 2) * step + (ulong)j] = t[a][2] - t[a][1];
                to[(ulong)(4 * a + 3) * step + (ulong)j] = t[a][1] - t[a][3];
            }
        }
    }
}

/* The results y of `planes` = images x channels planes of h x w, with bias and activation. */
__kernel void winograd_results(__global const float *m, ulong m_at, __global const float *bias, ulong bias_at, __global float *y,
                               ulong y_at, long items, int run, int channels, int h, int w, int down, int across, long tiles,
                               int has_bias, int act)
{
    int runs = (across + run - 1) / run;
    for (long e = (long)get_global_id(0); e < items; e += (long)get_global_size(0)) {
        long row = e / runs, plane = row / down;
        int j0 = (int)(e - row * runs) * run, i = (int)(row - plane * down);
        int image = (int)(plane / channels), channel = (int)(plane - (long)image * channels);
        int j_end = min(j0 + run, across);
        __global const float *from = m + m_at + (ulong)channel * (ulong)tiles + (ulong)((image * down + i) * across);
        __global float *to = y + y_at + plane * h * w + 2 * i * w;
        ulong step = (ulong)channels * (ulong)tiles;
        float b = has_bias ? bias[bias_at + (ulong)channel] : 0.0f;
        for (int j = j0; j < j_end; j++) {
            float t[2][4];
            for (int c = 0; c < 4; c++) {
                float m0 = from[(ulong)c * step + (ulong)j], m1 = from[(ulong)(4 + c) * step + (ulong)j],
                      m2 = from[(ulong)(8 + c) * step + (ulong)j], m3 = from[(ulong)(12 + c) * step + (ulong)j];
                t[0][c] = m0 + m1 + m2;
                t[1][c] = m1 - m2 - m3;
            }
            for (int a = 0; a < 2; a++) {
                float left = t[a][0] + t[a][1] + t[a][2], right = t[a][1] - t[a][2] - t[a][3];
                if (2 * i + a >= h) continue;
                to[a * w + 2 * j] = finish(left + b, act);
                if (2 * j + 1 < w) to[a * w + 2 * j + 1] = finish(right + b, act);
            }
        }
    }
}
