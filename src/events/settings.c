/* Hyper-parameters, as TensorBoard's plugin of that name reads them. */
#include "events/message.h"
#include "events/summaries.h"

#include "base/error.h"
#include "base/text.h"
#include "io/yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_STRING = 1, TYPE_NUMBER = 3 };
#define METRICS 4

const char *const cairn_events_final_tags[METRICS] = {
    "final/test_accuracy", "final/test_loss", "final/validation_accuracy", "final/validation_loss"};

struct setting {
    Cairn__Events__HParam entry;
    Cairn__Events__Setting value;
    Cairn__Events__HParamInfo info;
    char key[64];
    char *text; /* from malloc; NULL: the tree's */
};

struct settings {
    struct setting *items;
    Cairn__Events__HParam **entries;
    Cairn__Events__HParamInfo **infos;
    size_t count;
};

/* "data.limit_train" has a number, "data.normalize" a word, though it may be 01. */
static void add(struct settings *all, const char *section, const char *key, const char *text)
{
    struct setting *s = &all->items[all->count];
    cairn__events__hparam__init(&s->entry);
    cairn__events__setting__init(&s->value);
    cairn__events__hparam_info__init(&s->info);
    snprintf(s->key, sizeof s->key, "%s%s%s", section ? section : "", section ? "." : "", key);
    s->entry.key = s->info.name = s->key;
    s->entry.value = &s->value;
    if (cairn_text_double(text, &s->value.number_value) == CAIRN_OK) {
        s->value.kind_case = CAIRN__EVENTS__SETTING__KIND_NUMBER_VALUE;
        s->info.type = TYPE_NUMBER;
    } else {
        s->value.kind_case = CAIRN__EVENTS__SETTING__KIND_STRING_VALUE;
        s->value.string_value = (char *)text;
        s->info.type = TYPE_STRING;
    }
    all->entries[all->count] = &s->entry;
    all->infos[all->count++] = &s->info;
}

/* The members of a list, "conv 8 5x5, relu, linear 10", from malloc. */
static char *join(const struct cairn_yaml *list)
{
    size_t room = 1;
    for (const struct cairn_yaml *i = list->first; i; i = i->next) room += strlen(i->text) + 2;
    char *text = calloc(room, 1), *to = text;
    for (const struct cairn_yaml *i = list->first; text && i; i = i->next)
        to += sprintf(to, "%s%s", to == text ? "" : ", ", i->text);
    return text;
}

static cairn_status collect(struct settings *all, const struct cairn_yaml *root)
{
    for (const struct cairn_yaml *section = root->first; section; section = section->next) {
        if (section->kind == CAIRN_YAML_LIST) {
            char *text = join(section);
            if (!text) return cairn_fail(CAIRN_MEMORY, "out of memory");
            add(all, NULL, section->key, text);
            all->items[all->count - 1].text = text;
        }
        for (const struct cairn_yaml *m = section->kind == CAIRN_YAML_MAP ? section->first : NULL;
             m; m = m->next)
            if (m->kind == CAIRN_YAML_TEXT) add(all, section->key, m->key, m->text);
    }
    return CAIRN_OK;
}

static size_t count_texts(const struct cairn_yaml *node)
{
    size_t count = 1;
    for (const struct cairn_yaml *m = node->first; m; m = m->next) count += count_texts(m);
    return count;
}

/* A value without one but its plugin's data; the empty tensor that the plugin asks for. */
static cairn_status add_data(struct cairn_records *records, int64_t step, const char *tag,
                             Cairn__Events__HParams *content)
{
    Cairn__Events__Value value = CAIRN__EVENTS__VALUE__INIT;
    Cairn__Events__Metadata metadata = CAIRN__EVENTS__METADATA__INIT;
    Cairn__Events__PluginData data = CAIRN__EVENTS__PLUGIN_DATA__INIT;
    Cairn__Events__Tensor tensor = CAIRN__EVENTS__TENSOR__INIT;
    Cairn__Events__Shape shape = CAIRN__EVENTS__SHAPE__INIT;
    Cairn__Events__Dimension none = CAIRN__EVENTS__DIMENSION__INIT, *dims[] = {&none};
    shape.n_dim = 1;
    shape.dim = dims;
    tensor.dtype = 1;
    tensor.tensor_shape = &shape;
    data.plugin_name = (char *)"hparams";
    data.content = content;
    metadata.plugin_data = &data;
    value.tag = (char *)tag;
    value.metadata = &metadata;
    value.what_case = CAIRN__EVENTS__VALUE__WHAT_TENSOR;
    value.tensor = &tensor;
    return cairn_events_add_value(records, step, &value);
}

/* What there is to compare runs by. */
static cairn_status add_experiment(struct cairn_records *records, const struct settings *all,
                                   int validation)
{
    Cairn__Events__HParams content = CAIRN__EVENTS__HPARAMS__INIT;
    Cairn__Events__Experiment experiment = CAIRN__EVENTS__EXPERIMENT__INIT;
    Cairn__Events__MetricInfo metrics[METRICS], *places[METRICS];
    Cairn__Events__MetricName names[METRICS];
    for (int i = 0; i < METRICS; i++) {
        cairn__events__metric_info__init(&metrics[i]);
        cairn__events__metric_name__init(&names[i]);
        names[i].tag = (char *)cairn_events_final_tags[i];
        metrics[i].name = &names[i];
        places[i] = &metrics[i];
    }
    experiment.time_created_secs = cairn_events_now();
    experiment.n_hparam_infos = all->count;
    experiment.hparam_infos = all->infos;
    experiment.n_metric_infos = validation ? METRICS : METRICS / 2;
    experiment.metric_infos = places;
    content.what_case = CAIRN__EVENTS__HPARAMS__WHAT_EXPERIMENT;
    content.experiment = &experiment;
    return add_data(records, 0, "_hparams_/experiment", &content);
}

static cairn_status add_start(struct cairn_records *records, const struct settings *all)
{
    Cairn__Events__HParams content = CAIRN__EVENTS__HPARAMS__INIT;
    Cairn__Events__SessionStart start = CAIRN__EVENTS__SESSION_START__INIT;
    start.start_time_secs = cairn_events_now();
    start.n_hparams = all->count;
    start.hparams = all->entries;
    content.what_case = CAIRN__EVENTS__HPARAMS__WHAT_SESSION_START_INFO;
    content.session_start_info = &start;
    return add_data(records, 0, "_hparams_/session_start_info", &content);
}

/* Texts of the format are UTF-8, which a driver's need not be. */
static void take_name(char to[128], const char *from)
{
    snprintf(to, 128, "%s", from);
    for (char *p = to; *p; p++)
        if (*p & 0x80) *p = '?';
}

cairn_status cairn_events_settings(struct cairn_records *records,
                                   const struct cairn_session *session, const char *math)
{
    cairn_status st = CAIRN_OK;
    struct cairn_yaml *root = NULL;
    struct settings all = {.count = 0};
    const char *text = session->recipe->resolved;
    char device[128];
    TRY(cairn_yaml_parse(session->recipe->path, text, strlen(text), &root));
    size_t room = count_texts(root) + 2;
    all.items = calloc(room, sizeof *all.items);
    all.entries = calloc(room, sizeof(Cairn__Events__HParam *));
    all.infos = calloc(room, sizeof(Cairn__Events__HParamInfo *));
    if (!all.items || !all.entries || !all.infos) {
        st = cairn_fail(CAIRN_MEMORY, "out of memory");
        goto out;
    }
    TRY(collect(&all, root));
    take_name(device, cairn_device_info(session->device)->name);
    add(&all, NULL, "device", device);
    add(&all, NULL, "math", math);
    TRY(add_experiment(records, &all, session->counts[CAIRN_PART_VALIDATION] > 0));
    TRY(add_start(records, &all));
out:
    for (size_t i = 0; i < all.count; i++) free(all.items[i].text);
    free(all.items);
    free(all.entries);
    free(all.infos);
    cairn_yaml_free(root);
    return st;
}

cairn_status cairn_events_success(struct cairn_records *records, int64_t step)
{
    Cairn__Events__HParams content = CAIRN__EVENTS__HPARAMS__INIT;
    Cairn__Events__SessionEnd end = CAIRN__EVENTS__SESSION_END__INIT;
    end.status = 1;
    end.end_time_secs = cairn_events_now();
    content.what_case = CAIRN__EVENTS__HPARAMS__WHAT_SESSION_END_INFO;
    content.session_end_info = &end;
    return add_data(records, step, "_hparams_/session_end_info", &content);
}
