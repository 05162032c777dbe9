/* Trains a perceptron of two layers on Cairn's built-in images, and looks at what it takes for
 * what.
 *
 *   cc train.c $(pkg-config --cflags --libs cairn) -o train && ./train [DEVICE]
 *
 * The digest that it prints is the same on every device. */
#include <cairn/cairn.h>
#include <stdio.h>

static const char recipe[] =
    "data:  {name: glyphs, limit_train: 2000, limit_test: 500}\n"
    "model: [flatten, linear 64, relu, linear 10]\n"
    "train: {optimizer: adam, learning_rate: 2e-3, batch: 50, epochs: 3}\n";

static int complain(cairn_status status)
{
    fprintf(stderr, "train: %s: %s\n", cairn_status_text(status), cairn_error());
    return cairn_status_exit(status);
}

/* Called by cairn_train() in this thread as training goes. */
static void told(void *context, const struct cairn_train_event *event)
{
    (void)context;
    if (event->kind == CAIRN_TRAIN_EVALUATED)
        printf("epoch %d of %d: loss %.4f, accuracy %.4f\n", (int)event->epoch, (int)event->epochs,
               event->train_loss, event->train_accuracy);
}

/* The pair of classes that is confused most often. */
static void tell_confusion(const struct cairn_eval_result *eval)
{
    int worst = 1; /* in the table of classes x classes: row = label, column = answer */
    for (int i = 0; i < eval->classes * eval->classes; i++)
        if (i / eval->classes != i % eval->classes && eval->confusion[i] > eval->confusion[worst])
            worst = i;
    printf("%d of %d test images are right; %d times a %d was taken for a %d\n", (int)eval->correct,
           (int)eval->images, (int)eval->confusion[worst], worst / eval->classes,
           worst % eval->classes);
}

int main(int argc, char **argv)
{
    FILE *file = fopen("mlp.yaml", "w");
    if (!file || fputs(recipe, file) == EOF || fclose(file) != 0) {
        perror("mlp.yaml");
        return 3;
    }
    struct cairn_train_options options = {0};
    struct cairn_train_result result;
    options.recipe = "mlp.yaml";
    options.compute.device = argc > 1 ? argv[1] : "reference";
    options.out = "mlp";
    options.force = 1; /* replaces the run of an earlier start */
    options.event = told;
    cairn_status status = cairn_train(&options, &result);
    if (status != CAIRN_OK) return complain(status);
    printf("%d steps on %s: test loss %.4f, weights %.16s...\n", (int)result.steps, result.device,
           result.test_loss, result.weights_sha256);

    struct cairn_eval_options look = {0};
    struct cairn_eval_result eval;
    look.run = result.run;
    look.compute = options.compute;
    status = cairn_eval(&look, &eval);
    if (status != CAIRN_OK) return complain(status);
    tell_confusion(&eval);
    cairn_eval_result_free(&eval);
    return 0;
}
