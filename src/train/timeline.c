#include "train/timeline.h"

#include "base/error.h"
#include "base/file.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const phase_names[CAIRN_PHASES] = {"forward", "backward", "update",
                                                      "evaluation"};

/* --- time by layer --- */

enum { ROW_IMAGES, ROW_LAYERS }; /* behind the layers: */
enum { ROW_LOSS, ROW_UPDATE, ROW_OTHER, ROWS_BEHIND };

static int row_of(const struct cairn_timeline *t, const struct cairn_step *step)
{
    int behind = ROW_LAYERS + t->session->model->node_count;
    if (!step) return behind + ROW_OTHER;
    if (step->layer >= 0) return ROW_LAYERS + step->layer;
    if (step->phase == CAIRN_PHASE_UPDATE) return behind + ROW_UPDATE;
    int images = step->problem.op == CAIRN_OP_GATHER || step->problem.op == CAIRN_OP_AUGMENT;
    return images ? ROW_IMAGES : behind + ROW_LOSS;
}

static void keep(struct cairn_timeline *t, const struct cairn_launch *launch,
                 const struct cairn_step *step, int row)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        struct cairn_timeline_event *grown = realloc(t->events, room * sizeof *grown);
        t->failed |= !grown;
        if (!grown) return;
        t->events = grown;
        t->room = room;
    }
    t->events[t->count++] = (struct cairn_timeline_event){*launch, step, row};
}

static void watch(void *context, const struct cairn_launch *launch)
{
    struct cairn_timeline *t = context;
    const struct cairn_step *step = launch->mark.what;
    int number = row_of(t, step);
    struct cairn_layer_time *row = &t->rows[number];
    row->launches++;
    row->seconds[step ? step->phase : CAIRN_PHASE_UPDATE] += launch->seconds;
    row->total += launch->seconds;
    if (step && (step != t->last.what || launch->mark.step != t->last.step)) {
        row->flops += cairn_problem_flops(&step->problem);
        row->bytes += cairn_problem_bytes(&step->problem);
    }
    t->last = launch->mark;
    if (t->tracing) keep(t, launch, step, number);
}

cairn_status cairn_timeline_open(struct cairn_timeline *t, const struct cairn_session *session)
{
    static const char *const behind[ROWS_BEHIND] = {"loss", "update", "other"};
    const struct cairn_model *model = session->model;
    memset(t, 0, sizeof *t);
    t->row_count = ROW_LAYERS + model->node_count + ROWS_BEHIND;
    t->rows = calloc((size_t)t->row_count, sizeof *t->rows);
    if (!t->rows) return cairn_fail(CAIRN_MEMORY, "out of memory");
    t->session = session;
    for (int i = 0; i < t->row_count; i++) {
        int layer = i - ROW_LAYERS, is_layer = layer >= 0 && layer < model->node_count;
        t->rows[i].layer = is_layer ? layer : -1;
        t->rows[i].text = is_layer    ? model->nodes[layer].layer.text
                          : layer < 0 ? "images"
                                      : behind[layer - model->node_count];
    }
    return cairn_device_watch(session->device, watch, t);
}

void cairn_timeline_close(struct cairn_timeline *t)
{
    free(t->rows);
    free(t->events);
    memset(t, 0, sizeof *t);
}

cairn_status cairn_timeline_trace(struct cairn_timeline *t, int on)
{
    cairn_status st = cairn_device_sync(t->session->device);
    t->tracing = on;
    return st;
}

cairn_status cairn_timeline_rows(struct cairn_timeline *t,
                                 void (*each)(void *context, const struct cairn_layer_time *row),
                                 void *context)
{
    cairn_status st = CAIRN_OK;
    TRY(cairn_device_sync(t->session->device));
    for (int i = 0; i < t->row_count; i++) {
        struct cairn_layer_time *row = &t->rows[i];
        if (row->launches > 0) each(context, row);
        *row = (struct cairn_layer_time){.layer = row->layer, .text = row->text};
    }
out:
    return st;
}

/* --- the trace --- */

enum track { TRACK_STEPS = 1, TRACK_LAYERS, TRACK_KERNELS };

struct trace {
    const struct cairn_timeline *timeline;
    FILE *file;
    int failed, any;
};

/* Releases the event. */
static void put(struct trace *trace, json_t *event)
{
    fputs(trace->any++ ? ",\n" : "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n", trace->file);
    trace->failed |=
        !event || json_dumpf(event, trace->file, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0;
    json_decref(event);
}

/* A text that may be no UTF-8: names come from drivers. */
static json_t *words(const char *text)
{
    json_t *value = json_string(text);
    return value ? value : json_string("?");
}

static void put_name(struct trace *trace, const char *what, int track, const char *name)
{
    put(trace, json_pack("{s:s s:s s:i s:i s:{s:o}}", "name", what, "ph", "M", "pid", 1, "tid",
                         track, "args", "name", words(name)));
}

/* Nanoseconds in the microseconds of the format. */
static double micro(double seconds)
{
    return (double)(int64_t)(seconds * 1e9 + 0.5) / 1000;
}

/* "3 conv 8 5x5", "images". */
static void layer_text(const struct cairn_layer_time *row, char *text, size_t size)
{
    if (row->layer >= 0)
        snprintf(text, size, "%d %s", row->layer, row->text);
    else
        snprintf(text, size, "%s", row->text);
}

/* One span from the start of event `first` to the end of event `last`. */
static void put_span(struct trace *trace, enum track track, size_t first, size_t last)
{
    const struct cairn_timeline *t = trace->timeline;
    const struct cairn_timeline_event *a = &t->events[first], *b = &t->events[last];
    double start = micro(a->launch.start - t->events[0].launch.start),
           duration = micro(b->launch.start + b->launch.seconds - a->launch.start);
    const char *phase = a->step ? phase_names[a->step->phase] : "other";
    char layer[128], name[160], line[512] = "";
    layer_text(&t->rows[a->row], layer, sizeof layer);
    if (a->step) cairn_problem_print(&a->step->problem, line, sizeof line);
    if (track == TRACK_STEPS)
        snprintf(name, sizeof name, "%s %lld", strcmp(phase, "evaluation") ? "step" : phase,
                 (long long)a->launch.mark.step);
    else
        snprintf(name, sizeof name, "%s", track == TRACK_LAYERS ? layer : a->launch.kernel);
    json_t *args = track == TRACK_KERNELS
                       ? json_pack("{s:o s:s s:s s:I}", "layer", words(layer), "phase", phase,
                                   "operator", line, "step", (json_int_t)a->launch.mark.step)
                       : json_pack("{s:I}", "step", (json_int_t)a->launch.mark.step);
    put(trace,
        json_pack("{s:o s:s s:s s:i s:i s:f s:f s:o}", "name", words(name), "cat", phase, "ph", "X",
                  "pid", 1, "tid", track, "ts", start, "dur", duration, "args", args));
}

/* Whether both lie in the same span of a track. */
static int belongs(enum track track, const struct cairn_timeline_event *a,
                   const struct cairn_timeline_event *b)
{
    if (track == TRACK_KERNELS || !a->step || !b->step) return 0;
    if (a->launch.mark.step != b->launch.mark.step) return 0;
    int evaluates = a->step->phase == CAIRN_PHASE_EVALUATE;
    if (track == TRACK_STEPS) return evaluates == (b->step->phase == CAIRN_PHASE_EVALUATE);
    return a->row == b->row && a->step->phase == b->step->phase;
}

static void put_track(struct trace *trace, enum track track, const char *name)
{
    const struct cairn_timeline *t = trace->timeline;
    put_name(trace, "thread_name", track, name);
    for (size_t first = 0, last; first < t->count; first = last + 1) {
        for (last = first; last + 1 < t->count; last++)
            if (!belongs(track, &t->events[first], &t->events[last + 1])) break;
        if (track != TRACK_STEPS || t->events[first].step) put_span(trace, track, first, last);
    }
}

cairn_status cairn_timeline_write(const struct cairn_timeline *t, const char *path)
{
    cairn_status st = CAIRN_OK;
    struct cairn_file_writer writer;
    if (t->failed) return cairn_fail(CAIRN_MEMORY, "out of memory for the trace %s", path);
    TRY(cairn_file_open(&writer, path));
    struct trace trace = {.timeline = t, .file = writer.file};
    put_name(&trace, "process_name", 0, cairn_device_info(t->session->device)->name);
    put_track(&trace, TRACK_STEPS, "steps");
    put_track(&trace, TRACK_LAYERS, "layers");
    put_track(&trace, TRACK_KERNELS, "kernels");
    fputs("\n]}\n", trace.file);
    st = cairn_file_close(&writer, !trace.failed);
    if (st == CAIRN_OK && trace.failed)
        st = cairn_fail(CAIRN_MEMORY, "the trace %s could not be made as JSON", path);
out:
    return st;
}
