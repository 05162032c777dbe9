/* A build without the libraries that event files are written with: refuses before a training
 * begins, so that the rest is never called. */
#include "events/events.h"

#include "base/error.h"
#include <assert.h>

cairn_status cairn_events_check(const char *folder, int64_t folds, int resume, int force)
{
    (void)folder;
    (void)folds;
    (void)resume;
    (void)force;
    return cairn_fail(CAIRN_UNSUPPORTED,
                      "--tensorboard: this build cannot write event files: install libprotobuf-c "
                      "(libprotobuf-c-dev, protobuf-c-compiler), ISA-L (libisal-dev) and libpng "
                      "(libpng-dev), and build again with -Dtensorboard=enabled");
}

cairn_status cairn_events_create(const char *folder, int64_t fold,
                                 const struct cairn_session *session,
                                 const struct cairn_compute *compute,
                                 const struct cairn_dataset *data, struct cairn_events **events)
{
    (void)session;
    (void)compute;
    (void)data;
    (void)fold;
    *events = NULL;
    return cairn_events_check(folder, 0, 0, 0);
}

cairn_status cairn_events_begin(struct cairn_events *events, int resume, int64_t step,
                                const float *flat)
{
    (void)resume;
    (void)step;
    (void)flat;
    assert(!events);
    return CAIRN_OK;
}

void cairn_events_evaluated(struct cairn_events *events, const struct cairn_train_event *event,
                            const float *flat)
{
    (void)event;
    (void)flat;
    assert(!events);
}

void cairn_events_tell(struct cairn_events *events)
{
    assert(!events);
}

void cairn_events_finished(struct cairn_events *events, const struct cairn_train_result *result)
{
    (void)result;
    assert(!events);
}

const char *cairn_events_file(const struct cairn_events *events)
{
    assert(!events);
    return "";
}

const char *cairn_events_failure(const struct cairn_events *events)
{
    assert(!events);
    return "";
}

void cairn_events_close(struct cairn_events *events, int keep)
{
    (void)keep;
    assert(!events);
}
