/* The doctor's nets: gradients beside slopes, and weights beside the reference's. */
#include "compare/doctor.h"

#include "base/error.h"
#include "base/file.h"

#include <cairn/compare.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between them they have most operators; the images are drawn, not read. */
static const struct net {
    const char *name, *text;
} nets[] = {
    {"softmax",
     "data: {name: glyphs, normalize: zscore, limit_train: 128, limit_test: 16}\n"
     "model: [linear 10]\n"
     "train: {loss: cross-entropy, optimizer: adam, learning_rate: 1e-3, batch: 32, epochs: 1}\n"},
    {"cnn", "data: {name: glyphs, normalize: zscore, limit_train: 64, limit_test: 16}\n"
            "model: [conv 8 5x5 pad=same, relu, maxpool 2, conv 16 3x3, relu, maxpool 2, linear "
            "64, tanh, linear 10]\n"
            "init: {default: he}\n"
            "train: {loss: cross-entropy, optimizer: sgd momentum=0.9, learning_rate: 1e-2, batch: "
            "16, epochs: 1}\n"},
    {"everything", "data: {name: glyphs, limit_train: 48, limit_test: 16, validation: 0.1, pad: 2, "
                   "augment: shift=1 flip=yes rotate=10 crop=28}\n"
                   "model:\n"
                   "  - conv 6 5x5 stride=2 pad=same as=a\n"
                   "  - batchnorm\n"
                   "  - gelu\n"
                   "  - conv 6 3x3 pad=same groups=2 bias=no\n"
                   "  - add a\n"
                   "  - avgpool 3 stride=2 pad=1\n"
                   "  - dropout 0.2\n"
                   "  - linear 10\n"
                   "train: {loss: cross-entropy, smoothing: 0.1, class_weights: balanced, "
                   "optimizer: adamw, learning_rate: 3e-3, l2: 1e-4, clip: 1, accumulate: 2, "
                   "batch: 16, epochs: 2}\n"},
};
#define NETS (sizeof nets / sizeof *nets)

struct room {
    const struct cairn_doctor_options *options;
    const char *spec;
    char folder[256], recipe[300], run[300];
};

static void remove_run(const struct room *room)
{
    static const char *const names[] = {"recipe.yaml", "metrics.jsonl", "model.safetensors",
                                        "last.safetensors", "summary.json"};
    char path[400];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", room->run, names[i]);
        unlink(path);
    }
    rmdir(room->run);
}

static cairn_status train(const struct room *room, const char *spec, char digest[65])
{
    cairn_status st = CAIRN_OK;
    struct cairn_train_result result;
    struct cairn_train_options options = {
        .recipe = room->recipe,
        .compute = {.device = spec, .no_tune = 1},
        .out = room->run,
        .force = 1,
        .stop = room->options->stop,
    };
    TRY(cairn_train(&options, &result));
    memcpy(digest, result.weights_sha256, sizeof result.weights_sha256);
out:
    remove_run(room);
    return st;
}

static void tell_bad(const struct room *room, const char *how, const char *detail)
{
    doctor_tell(room->options,
                (struct cairn_doctor_event){
                    .kind = CAIRN_DOCTOR_bad, .what = "device", .how = how, .detail = detail});
}

/* The operator whose result differs first. */
static cairn_status find_difference(const struct room *room, const char *net)
{
    cairn_status st = CAIRN_OK;
    const struct cairn_compare_lane lanes[] = {{"reference", NULL}, {room->spec, NULL}};
    struct cairn_compare_result result;
    struct cairn_compare_options options = {.recipe = room->recipe,
                                            .lanes = lanes,
                                            .lane_count = 2,
                                            .compute = {.no_tune = 1},
                                            .steps = 100,
                                            .stop = room->options->stop};
    char how[512], detail[256] = "";
    TRY(cairn_compare(&options, &result));
    if (result.different) {
        snprintf(how, sizeof how, "training %s: %s", net, result.problem);
        snprintf(detail, sizeof detail,
                 "step %lld, %s: element %lld of %lld is 0x%08x, should be 0x%08x; %lld differ",
                 (long long)result.step, result.what, (long long)result.index,
                 (long long)result.elements, result.got, result.want, (long long)result.count);
    } else {
        snprintf(how, sizeof how, "training %s: other weights, though each operator alone agrees",
                 net);
    }
    tell_bad(room, how, detail);
out:
    cairn_compare_free(&result);
    return st;
}

/* A failure of the device is what is looked for; one of this machine ends the doctor's work. */
static cairn_status take_error(const struct room *room, cairn_status st, const char *net)
{
    char how[512];
    if (st != CAIRN_DEVICE && st != CAIRN_BUILD && st != CAIRN_UNSUPPORTED) return st;
    snprintf(how, sizeof how, "net %s: %.400s", net, cairn_error());
    tell_bad(room, how, "");
    return CAIRN_OK;
}

static cairn_status train_both(const struct room *room, const char *net)
{
    cairn_status st = CAIRN_OK;
    char want[65] = "", got[65] = "";
    TRY(train(room, "reference", want));
    TRY(train(room, room->spec, got));
    int good = !strcmp(want, got);
    doctor_tell(
        room->options,
        (struct cairn_doctor_event){
            .kind = CAIRN_DOCTOR_train, .what = net, .how = got, .detail = want, .good = good});
    if (!good) TRY(find_difference(room, net));
out:
    return st;
}

static cairn_status check_gradients(const struct room *room, const char *net)
{
    cairn_status st = CAIRN_OK;
    struct cairn_gradcheck_result result = {.row_count = 0};
    struct cairn_gradcheck_options options = {
        .recipe = room->recipe,
        .compute = {.device = room->spec, .no_tune = 1},
        .images = 8,
        .directions = 3,
    };
    char how[256];
    TRY(cairn_gradcheck(&options, &result));
    doctor_tell(room->options, (struct cairn_doctor_event){.kind = CAIRN_DOCTOR_grad,
                                                           .what = net,
                                                           .values = result.row_count,
                                                           .different = result.failed,
                                                           .good = !result.failed});
    snprintf(how, sizeof how, "gradients of the net %s: %d of %d slopes are off", net,
             result.failed, result.row_count);
    if (result.failed) tell_bad(room, how, "");
    cairn_gradcheck_free(&result);
out:
    return st;
}

static cairn_status run_net(struct room *room, const struct net *net)
{
    cairn_status st = CAIRN_OK;
    struct cairn_doctor_event at = {.kind = CAIRN_DOCTOR_at, .what = "device"};
    char how[64];
    TRY(doctor_stopped(room->options));
    TRY(cairn_file_write(room->recipe, net->text, strlen(net->text)));
    snprintf(how, sizeof how, "gradients of the net %s", net->name);
    at.how = how;
    doctor_tell(room->options, at);
    TRY(take_error(room, check_gradients(room, net->name), net->name));
    snprintf(how, sizeof how, "training the net %s", net->name);
    doctor_tell(room->options, at);
    TRY(take_error(room, train_both(room, net->name), net->name));
out:
    return st;
}

cairn_status doctor_nets(const struct cairn_doctor_options *options, const char *spec)
{
    cairn_status st = CAIRN_OK;
    struct room room = {.options = options, .spec = spec};
    const char *base = getenv("TMPDIR");
    snprintf(room.folder, sizeof room.folder, "%.200s/cairn-doctor-XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(room.folder))
        return cairn_fail_errno(CAIRN_IO, "cannot make a folder %s", room.folder);
    snprintf(room.recipe, sizeof room.recipe, "%s/net.yaml", room.folder);
    snprintf(room.run, sizeof room.run, "%s/run", room.folder);
    for (size_t i = 0; i < NETS; i++) TRY(run_net(&room, &nets[i]));
out:
    unlink(room.recipe);
    rmdir(room.folder);
    return st;
}
