/* Holds the exact functions against double libm over every float there is, and prints the largest
 * errors. Not part of the normal tests: it takes minutes. Usage: exhaustive
 * [exp|expm1|log|tanh|sigmoid|softplus|erf|turn]... */
#include "base/exact.h"
#include "oracle/oracle.h"

#include <stdio.h>
#include <string.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static const struct function {
    const char *name;
    float (*exact)(float);
    double (*wanted)(double);
} functions[] = {
    {"exp", cairn_exact_exp, exp},       {"log", cairn_exact_log, log},
    {"tanh", cairn_exact_tanh, tanh},    {"sigmoid", cairn_exact_sigmoid, sigmoid},
    {"expm1", cairn_exact_expm1, expm1}, {"softplus", cairn_exact_softplus, softplus},
    {"erf", cairn_exact_erf, erf},
};

struct tally {
    double worst;
    float at;
    long rounded, finite, wrong;
};

/* NaN, infinities and zeros must be what the rounded double is; elsewhere the error counts. */
static void count(struct tally *tally, float x, float got, double wanted)
{
    float rounded = (float)wanted;
    if (isnan(rounded) || isinf(rounded) || rounded == 0 || isnan(got) || isinf(got)) {
        tally->wrong +=
            isnan(rounded) ? !isnan(got) : cairn_exact_bits(got) != cairn_exact_bits(rounded);
        return;
    }
    tally->finite++;
    tally->rounded += got == rounded;
    double error = oracle_ulps(got, wanted);
    if (error > tally->worst) {
        tally->worst = error;
        tally->at = x;
    }
}

static int report(const char *name, const struct tally *tally)
{
    printf("%-8s largest error %.4f ulp at %.9g; %.3f %% of %ld correctly rounded; %ld wrong "
           "specials\n",
           name, tally->worst, (double)tally->at,
           100.0 * (double)tally->rounded / (double)tally->finite, tally->finite, tally->wrong);
    fflush(stdout);
    return tally->wrong || tally->worst > 2;
}

static int run(const struct function *f)
{
    struct tally tally = {0, 0, 0, 0, 0};
    for (uint64_t u = 0; u < (uint64_t)1 << 32; u++) {
        float x = cairn_exact_float((uint32_t)u);
        count(&tally, x, f->exact(x), f->wanted((double)x));
    }
    return report(f->name, &tally);
}

/* All turns of 24 bits: the angle is reduced to an eighth of a turn first, where libm's argument
 * has no error to speak of. */
static int run_turns(void)
{
    struct tally tally[2] = {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}};
    for (uint32_t turn = 0; turn < 1u << 24; turn++) {
        float sine, cosine;
        double want_sine, want_cosine;
        cairn_exact_sincos_turn(turn << 8, &sine, &cosine);
        oracle_turn(turn, &want_sine, &want_cosine);
        count(&tally[0], (float)turn, sine, want_sine);
        count(&tally[1], (float)turn, cosine, want_cosine);
    }
    return report("sine", &tally[0]) | report("cosine", &tally[1]);
}

static int wanted_here(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name)) return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (wanted_here(argc, argv, functions[i].name)) bad |= run(&functions[i]);
    if (wanted_here(argc, argv, "turn")) bad |= run_turns();
    return bad;
}
