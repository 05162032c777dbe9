/* Scalars, images and histograms. */
#include "events/summaries.h"

#include "base/error.h"
#include "base/text.h"
#include "events/message.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUCKETS 64

double cairn_events_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

cairn_status cairn_events_add(struct cairn_records *records, int64_t step,
                              Cairn__Events__Event *event)
{
    cairn_status st = CAIRN_OK;
    uint8_t *bytes;
    event->wall_time = cairn_events_now();
    event->step = step;
    size_t size = cairn__events__event__get_packed_size(event);
    TRY(cairn_records_room(records, size, &bytes));
    cairn__events__event__pack(event, bytes);
    cairn_records_frame(records, size);
out:
    return st;
}

cairn_status cairn_events_add_value(struct cairn_records *records, int64_t step,
                                    Cairn__Events__Value *value)
{
    Cairn__Events__Event event = CAIRN__EVENTS__EVENT__INIT;
    Cairn__Events__Summary summary = CAIRN__EVENTS__SUMMARY__INIT;
    summary.n_value = 1;
    summary.value = &value;
    event.what_case = CAIRN__EVENTS__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return cairn_events_add(records, step, &event);
}

cairn_status cairn_events_version(struct cairn_records *records)
{
    Cairn__Events__Event event = CAIRN__EVENTS__EVENT__INIT;
    event.what_case = CAIRN__EVENTS__EVENT__WHAT_FILE_VERSION;
    event.file_version = (char *)"brain.Event:2";
    return cairn_events_add(records, 0, &event);
}

cairn_status cairn_events_purge(struct cairn_records *records, int64_t step)
{
    Cairn__Events__Event event = CAIRN__EVENTS__EVENT__INIT;
    Cairn__Events__SessionLog start = CAIRN__EVENTS__SESSION_LOG__INIT;
    start.status = 1;
    event.what_case = CAIRN__EVENTS__EVENT__WHAT_SESSION_LOG;
    event.session_log = &start;
    return cairn_events_add(records, step, &event);
}

cairn_status cairn_events_scalar(struct cairn_records *records, int64_t step, const char *tag,
                                 double value)
{
    Cairn__Events__Value message = CAIRN__EVENTS__VALUE__INIT;
    char text[40];
    locale_t before = cairn_text_begin_plain();
    snprintf(text, sizeof text, "%.9g", value);
    message.simple_value = isfinite(value) ? (float)strtod(text, NULL) : (float)value;
    cairn_text_end_plain(before);
    message.tag = (char *)tag;
    message.what_case = CAIRN__EVENTS__VALUE__WHAT_SIMPLE_VALUE;
    return cairn_events_add_value(records, step, &message);
}

cairn_status cairn_events_image(struct cairn_records *records, int64_t step, const char *tag,
                                const struct cairn_png *image)
{
    Cairn__Events__Value message = CAIRN__EVENTS__VALUE__INIT;
    Cairn__Events__Image picture = CAIRN__EVENTS__IMAGE__INIT;
    cairn_status st = cairn_png_pack(image, &picture.encoded_image_string.data,
                                     &picture.encoded_image_string.len);
    if (st != CAIRN_OK) return st;
    picture.height = image->h;
    picture.width = image->w;
    picture.colorspace = image->c;
    message.tag = (char *)tag;
    message.what_case = CAIRN__EVENTS__VALUE__WHAT_IMAGE;
    message.image = &picture;
    st = cairn_events_add_value(records, step, &message);
    free(picture.encoded_image_string.data);
    return st;
}

/* Least, largest, number and sums of what is finite. */
static void measure(const float *values, int64_t count, Cairn__Events__Histogram *h)
{
    for (int64_t i = 0; i < count; i++) {
        double v = (double)values[i];
        if (!isfinite(v)) continue;
        if (h->num == 0 || v < h->min) h->min = v;
        if (h->num == 0 || v > h->max) h->max = v;
        h->num += 1;
        h->sum += v;
        h->sum_squares += v * v;
    }
}

cairn_status cairn_events_histogram(struct cairn_records *records, int64_t step, const char *tag,
                                    const float *values, int64_t count)
{
    Cairn__Events__Value message = CAIRN__EVENTS__VALUE__INIT;
    Cairn__Events__Histogram h = CAIRN__EVENTS__HISTOGRAM__INIT;
    double limits[BUCKETS], held[BUCKETS] = {0};
    measure(values, count, &h);
    int buckets = h.num == 0 ? 0 : h.max > h.min ? BUCKETS : 1;
    double width = (h.max - h.min) / BUCKETS;
    for (int b = 0; b < buckets; b++)
        limits[b] = b == buckets - 1 ? h.max : h.min + (b + 1) * width;
    for (int64_t i = 0; i < count && buckets > 0; i++) {
        double v = (double)values[i];
        if (!isfinite(v)) continue;
        int b = buckets == 1 ? 0 : (int)((v - h.min) / width);
        held[b < buckets ? b : buckets - 1] += 1;
    }
    h.n_bucket = h.n_bucket_limit = (size_t)buckets;
    h.bucket_limit = limits;
    h.bucket = held;
    message.tag = (char *)tag;
    message.what_case = CAIRN__EVENTS__VALUE__WHAT_HISTO;
    message.histo = &h;
    return cairn_events_add_value(records, step, &message);
}
