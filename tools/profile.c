#include "profile.h"

#include "json.h"
#include <stdlib.h>
#include <string.h>

void profile_add_kernel(void *context, const char *kernel, int64_t calls, double seconds)
{
    struct profile *p = context;
    struct profile_kernel *grown =
        realloc(p->kernels, (size_t)(p->kernel_count + 1) * sizeof *grown);
    if (!grown) return;
    p->kernels = grown;
    struct profile_kernel *fresh = &p->kernels[p->kernel_count++];
    snprintf(fresh->name, sizeof fresh->name, "%s", kernel);
    fresh->calls = calls;
    fresh->seconds = seconds;
}

void profile_add_layer(void *context, const struct cairn_layer_time *layer)
{
    struct profile *p = context;
    struct cairn_layer_time *grown =
        realloc(p->layers, (size_t)(p->layer_count + 1) * sizeof *grown);
    char *text = grown ? strdup(layer->text) : NULL;
    if (grown) p->layers = grown;
    if (!text) return;
    p->layers[p->layer_count] = *layer;
    p->layers[p->layer_count++].text = text;
}

void profile_free(struct profile *p)
{
    for (int i = 0; i < p->layer_count; i++) free((char *)p->layers[i].text);
    free(p->layers);
    free(p->kernels);
    memset(p, 0, sizeof *p);
}

static int dearer(const void *a, const void *b)
{
    double x = ((const struct profile_kernel *)a)->seconds,
           y = ((const struct profile_kernel *)b)->seconds;
    return (x < y) - (x > y);
}

/* Sorts the kernels; returns the seconds of all, above 0. */
static double sort(struct profile *p)
{
    double all = 0;
    if (p->kernel_count) qsort(p->kernels, (size_t)p->kernel_count, sizeof *p->kernels, dearer);
    for (int i = 0; i < p->kernel_count; i++) all += p->kernels[i].seconds;
    return all > 0 ? all : 1e-9;
}

/* Operations a second, in thousands of millions; 0 where no time was seen. */
static double gflops(const struct cairn_layer_time *layer)
{
    return layer->total > 0 ? layer->flops / layer->total * 1e-9 : 0;
}

static void layer_text(const struct cairn_layer_time *layer, char *text, size_t size)
{
    if (layer->layer >= 0)
        snprintf(text, size, "%d %s", layer->layer, layer->text);
    else
        snprintf(text, size, "%s", layer->text);
}

/* What seconds are multiplied with, and launches divided by. */
static double scale_of(int64_t steps)
{
    return steps > 0 ? 1e6 / (double)steps : 1;
}

void profile_print(struct profile *p, int64_t steps, FILE *file)
{
    char text[128];
    int digits = steps > 0 ? 2 : 4;
    long long per = steps > 0 ? steps : 1;
    double by = scale_of(steps);
    double all = sort(p);
    if (!p->kernel_count) return;
    fprintf(file, "%-34s %9s %10s %8s\n", "kernel", "launches", steps > 0 ? "us" : "seconds",
            "share");
    for (int i = 0; i < p->kernel_count; i++) {
        const struct profile_kernel *k = &p->kernels[i];
        fprintf(file, "%-34s %9lld %10.*f %6.1f %%\n", k->name, (long long)k->calls / per, digits,
                k->seconds * by, 100 * k->seconds / all);
    }
    fprintf(file, "\n%-34s %9s %10s %10s %10s %10s %8s %8s\n", "layer", "launches", "forward",
            "backward", "update", "evaluation", "share", "GFLOP/s");
    for (int i = 0; i < p->layer_count; i++) {
        const struct cairn_layer_time *l = &p->layers[i];
        layer_text(l, text, sizeof text);
        fprintf(file, "%-34s %9lld %10.*f %10.*f %10.*f %10.*f %6.1f %% %8.1f\n", text,
                (long long)l->launches / per, digits, l->seconds[0] * by, digits,
                l->seconds[1] * by, digits, l->seconds[2] * by, digits, l->seconds[3] * by,
                100 * l->total / all, gflops(l));
    }
}

json_t *profile_json(struct profile *p, int64_t steps)
{
    long long per = steps > 0 ? steps : 1;
    double by = 1 / (double)per;
    json_t *kernels = json_array(), *layers = json_array();
    double all = sort(p);
    for (int i = 0; i < p->kernel_count; i++) {
        const struct profile_kernel *k = &p->kernels[i];
        json_array_append_new(kernels,
                              json_pack("{s:o s:I s:f s:f}", "kernel", tool_json_text(k->name),
                                        "launches", (json_int_t)k->calls, "seconds", k->seconds,
                                        "share", k->seconds / all));
    }
    for (int i = 0; i < p->layer_count; i++) {
        const struct cairn_layer_time *l = &p->layers[i];
        json_array_append_new(
            layers,
            json_pack("{s:o s:o s:I s:f s:f s:f s:f s:f s:f s:f}", "layer",
                      l->layer >= 0 ? json_integer(l->layer) : json_null(), "text",
                      tool_json_text(l->text), "launches", (json_int_t)(l->launches / per),
                      "forward", l->seconds[0] * by, "backward", l->seconds[1] * by, "update",
                      l->seconds[2] * by, "evaluation", l->seconds[3] * by, "seconds",
                      l->total * by, "share", l->total / all, "gflops", gflops(l)));
    }
    return json_pack("{s:o s:o}", "kernels", kernels, "layers", layers);
}
