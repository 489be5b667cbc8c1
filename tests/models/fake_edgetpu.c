/* A stand-in for libedgetpu: an external TFLite delegate that claims the operation "edgetpu-custom-op" and copies its
   input to its output. Only what the C interface of delegates needs is declared here. The environment tells it to be
   absent (FAKE_EDGETPU=absent), to fail from a certain invoke on (FAKE_EDGETPU_DIES=n), or to be there as long as a file is
   (FAKE_EDGETPU_PLUG=path). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int size; int data[]; } IntArray;
typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct Registration {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, void *);
  int (*invoke)(Context *, void *);
  const char *(*profiling)(const Context *, const void *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *external;
  void *async_kernel;
  uint64_t inplace;
} Registration;
typedef struct { IntArray *inputs, *outputs, *intermediates, *temporaries; void *user_data; } Node;
typedef struct { int type; void *data; IntArray *dims; } TensorHead;
struct Context {
  size_t tensors_size;
  int (*get_execution_plan)(Context *, IntArray **);
  void *tensors;
  void *impl;
  int (*resize)(Context *, void *, IntArray *);
  void (*report)(Context *, const char *, ...);
  int (*add_tensors)(Context *, int, int *);
  int (*get_node)(Context *, int, Node **, Registration **);
  int (*replace)(Context *, Registration, const IntArray *, Delegate *);
};
struct Delegate {
  void *data;
  int (*prepare)(Context *, Delegate *);
  void *copy_from, *copy_to, *free_handle;
  int64_t flags;
  void *opaque;
};

static int invokes = 0;

static int pulled(void) {
  const char *plug = getenv("FAKE_EDGETPU_PLUG");
  return plug && access(plug, F_OK) != 0;
}

static int invoke(Context *context, void *node) {
  const char *dies = getenv("FAKE_EDGETPU_DIES");
  (void)node;
  if (pulled() || (dies && ++invokes > atoi(dies))) {
    context->report(context, "the stick was pulled out");
    return 1;
  }
  return 0;
}

static int prepare_node(Context *context, void *node) { (void)context; (void)node; return 0; }

static int prepare(Context *context, Delegate *delegate) {
  IntArray *plan;
  if (context->get_execution_plan(context, &plan)) return 1;
  IntArray *claimed = calloc(1, sizeof(int) * (plan->size + 1));
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *registration;
    context->get_node(context, plan->data[i], &node, &registration);
    if (registration->custom_name && !strcmp(registration->custom_name, "edgetpu-custom-op")) claimed->data[claimed->size++] = plan->data[i];
  }
  Registration own = {0};
  own.prepare = prepare_node;
  own.invoke = invoke;
  own.custom_name = "fake-edgetpu";
  own.version = 1;
  int status = claimed->size ? context->replace(context, own, claimed, delegate) : 0;
  free(claimed);
  return status;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t n, void (*report)(const char *)) {
  (void)keys; (void)values; (void)n;
  const char *mode = getenv("FAKE_EDGETPU");
  if (pulled() || (mode && !strcmp(mode, "absent"))) {
    report("no device is plugged in");
    return NULL;
  }
  Delegate *delegate = calloc(1, sizeof(Delegate) + 64);
  delegate->prepare = prepare;
  delegate->flags = 1; /* dynamic tensors: or the graph is prepared first, and the operation refused */
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
