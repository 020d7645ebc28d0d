/*
 * libnvidia-ml.so.1 for tests: the part of NVML that gpu-feature-discovery and the device plugin ask, answered from a
 * text file. MOCK_NVML_CONFIG names it; tests/nvidia/nvidia_node.py writes it. It only reads: what MIG instances there
 * are stands in the file.
 *
 * Lines:
 *   driver VERSION | nvml VERSION | cuda NUMBER
 *   fail FUNCTION RETURN_CODE
 *   gpu UUID BUS PCI_ID SUBSYSTEM_ID MIB CC_MAJOR CC_MINOR ARCHITECTURE MIG_CAPABLE MIG_MODE NAME
 *   profile GPU ENUM ID SLICES MOST MULTIPROCESSORS COPY DECODERS ENCODERS JPEG OFA MIB NAME
 *   instance GPU PROFILE_ID START SIZE
 *
 * Each GPU instance holds one compute instance of its whole size. Build:
 *   cc -shared -fPIC -O1 -Wall -Wextra -I DIR_OF_nvml.h -Wl,-soname,libnvidia-ml.so.1 -o libnvidia-ml.so.1 mocknvml.c
 * nvml.h is that of github.com/NVIDIA/go-nvml, in which every handle is a struct of one pointer.
 */
#define NVML_NO_UNVERSIONED_FUNC_DEFS 1
#include <nvml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_GPUS 16
#define MOST_PROFILES 24
#define MOST_INSTANCES 16
#define MOST_FAULTS 8
#define COMPUTE_SIZES 7

typedef struct {
  unsigned number, id, slices, most, multiprocessors, copy, decoders, encoders, jpeg, ofa, mib;
  char name[64];
} Profile;

typedef struct {
  unsigned id, start, size;
  Profile *profile;
  struct Gpu *gpu;
} Instance;

typedef struct Gpu {
  unsigned index, pci_id, subsystem_id, major, minor, architecture, mig_capable, mig_mode, profiles, instances;
  unsigned long long mib;
  char uuid[64], bus[32], name[96];
  Profile profile[MOST_PROFILES];
  Instance instance[MOST_INSTANCES];
} Gpu;

/* What a device handle points to: a GPU, or one MIG device of it. */
struct nvmlDevice_st {
  Gpu *gpu;
  Instance *instance;
};

static Gpu gpus[MOST_GPUS];
static struct nvmlDevice_st whole[MOST_GPUS], part[MOST_GPUS][MOST_INSTANCES];
static unsigned gpu_count, fault_count, initialised;
static int cuda;
static char driver[80], nvml[80];
static struct {
  char function[64];
  nvmlReturn_t code;
} faults[MOST_FAULTS];
static const unsigned compute_slices[COMPUTE_SIZES] = {1, 2, 3, 4, 7, 8, 6}; /* by NVML's compute instance profile */

static nvmlReturn_t fault_of(const char *function) {
  for (unsigned i = 0; i < fault_count; i++)
    if (!strcmp(faults[i].function, function)) return faults[i].code;
  return NVML_SUCCESS;
}

#define BEGIN                                                    \
  do {                                                           \
    if (!initialised) return NVML_ERROR_UNINITIALIZED;           \
    nvmlReturn_t code = fault_of(__func__);                      \
    if (code) return code;                                       \
  } while (0)
#define NEED(condition, code) \
  do {                        \
    if (!(condition)) return code; \
  } while (0)

static Profile *profile_by_id(Gpu *gpu, unsigned id) {
  for (unsigned i = 0; i < gpu->profiles; i++)
    if (gpu->profile[i].id == id) return &gpu->profile[i];
  return NULL;
}

static Profile *profile_by_number(Gpu *gpu, unsigned number) {
  for (unsigned i = 0; i < gpu->profiles; i++)
    if (gpu->profile[i].number == number) return &gpu->profile[i];
  return NULL;
}

static void read_gpu(const char *line) {
  Gpu gpu = {0};
  int name = 0;
  if (gpu_count == MOST_GPUS ||
      sscanf(line, "gpu %63s %31s %x %x %llu %u %u %u %u %u %n", gpu.uuid, gpu.bus, &gpu.pci_id, &gpu.subsystem_id,
             &gpu.mib, &gpu.major, &gpu.minor, &gpu.architecture, &gpu.mig_capable, &gpu.mig_mode, &name) != 10)
    return;
  snprintf(gpu.name, sizeof gpu.name, "%s", line + name);
  gpu.index = gpu_count;
  gpus[gpu_count] = gpu;
  whole[gpu_count].gpu = &gpus[gpu_count];
  gpu_count++;
}

static void read_profile(const char *line) {
  Profile profile = {0};
  unsigned gpu;
  if (sscanf(line, "profile %u %u %u %u %u %u %u %u %u %u %u %u %63s", &gpu, &profile.number, &profile.id,
             &profile.slices, &profile.most, &profile.multiprocessors, &profile.copy, &profile.decoders,
             &profile.encoders, &profile.jpeg, &profile.ofa, &profile.mib, profile.name) != 13)
    return;
  if (gpu < gpu_count && gpus[gpu].profiles < MOST_PROFILES) gpus[gpu].profile[gpus[gpu].profiles++] = profile;
}

static void read_instance(const char *line) {
  unsigned index, profile, start, size;
  if (sscanf(line, "instance %u %u %u %u", &index, &profile, &start, &size) != 4 || index >= gpu_count) return;
  Gpu *gpu = &gpus[index];
  if (gpu->instances == MOST_INSTANCES || !profile_by_id(gpu, profile)) return;
  unsigned here = gpu->instances++;
  gpu->instance[here] = (Instance){here + 1, start, size, profile_by_id(gpu, profile), gpu};
  part[index][here] = (struct nvmlDevice_st){gpu, &gpu->instance[here]};
}

static int read_config(void) {
  const char *path = getenv("MOCK_NVML_CONFIG");
  FILE *file = path ? fopen(path, "r") : NULL;
  char line[512];
  gpu_count = fault_count = 0;
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    sscanf(line, "driver %79s", driver);
    sscanf(line, "nvml %79s", nvml);
    sscanf(line, "cuda %d", &cuda);
    if (fault_count < MOST_FAULTS &&
        sscanf(line, "fail %63s %u", faults[fault_count].function, (unsigned *)&faults[fault_count].code) == 2)
      fault_count++;
    if (!strncmp(line, "gpu ", 4)) read_gpu(line);
    if (!strncmp(line, "profile ", 8)) read_profile(line);
    if (!strncmp(line, "instance ", 9)) read_instance(line);
  }
  fclose(file);
  return 1;
}

/* The library and the system */

nvmlReturn_t nvmlInit_v2(void) {
  NEED(read_config(), NVML_ERROR_DRIVER_NOT_LOADED);
  nvmlReturn_t code = fault_of(__func__);
  if (!code) initialised++;
  return code;
}

nvmlReturn_t nvmlInitWithFlags(unsigned flags) {
  (void)flags;
  return nvmlInit_v2();
}

nvmlReturn_t nvmlShutdown(void) {
  NEED(initialised, NVML_ERROR_UNINITIALIZED);
  initialised--;
  return NVML_SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t code) {
  switch (code) {
    case NVML_SUCCESS: return "Success";
    case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
    case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
    case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
    case NVML_ERROR_NOT_FOUND: return "Not Found";
    case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case NVML_ERROR_TIMEOUT: return "Timeout";
    case NVML_ERROR_IN_USE: return "In use by another client";
    default: return "Unknown Error";
  }
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned length) {
  BEGIN;
  snprintf(text, length, "%s", driver);
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *text, unsigned length) {
  BEGIN;
  snprintf(text, length, "%s", nvml);
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version) {
  BEGIN;
  *version = cuda;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) { return nvmlSystemGetCudaDriverVersion(version); }

/* Devices */

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
  BEGIN;
  *count = gpu_count;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *device) {
  BEGIN;
  NEED(index < gpu_count, NVML_ERROR_INVALID_ARGUMENT);
  device->handle = &whole[index];
  return NVML_SUCCESS;
}

static void uuid_of(struct nvmlDevice_st *device, char *text, unsigned length) {
  if (device->instance) /* the GPU's own, with the instance's number in its first digits */
    snprintf(text, length, "MIG-%08x%s", device->instance->id, device->gpu->uuid + strlen("GPU-12345678"));
  else
    snprintf(text, length, "%s", device->gpu->uuid);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned length) {
  BEGIN;
  uuid_of(device.handle, text, length);
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
  BEGIN;
  char text[96];
  for (unsigned i = 0; i < gpu_count; i++) {
    device->handle = &whole[i];
    if (!strcmp(uuid, gpus[i].uuid)) return NVML_SUCCESS;
    for (unsigned k = 0; k < gpus[i].instances; k++) {
      device->handle = &part[i][k];
      uuid_of(device->handle, text, sizeof text);
      if (!strcmp(uuid, text)) return NVML_SUCCESS;
    }
  }
  return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvmlDevice_t *device) {
  BEGIN;
  size_t length = strlen(bus), rest = strlen("00:00.0");
  for (unsigned i = 0; i < gpu_count && length >= rest; i++)
    if (!strcasecmp(bus + length - rest, gpus[i].bus + strlen(gpus[i].bus) - rest)) {
      device->handle = &whole[i];
      return NVML_SUCCESS;
    }
  return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned length) {
  BEGIN;
  Instance *instance = device.handle->instance;
  snprintf(text, length, "%s%s%s", device.handle->gpu->name, instance ? " MIG " : "",
           instance ? instance->profile->name : "");
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetBrand(nvmlDevice_t device, nvmlBrandType_t *brand) {
  BEGIN;
  (void)device;
  *brand = NVML_BRAND_NVIDIA;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetArchitecture(nvmlDevice_t device, nvmlDeviceArchitecture_t *architecture) {
  BEGIN;
  *architecture = device.handle->gpu->architecture;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor) {
  BEGIN;
  *major = device.handle->gpu->major;
  *minor = device.handle->gpu->minor;
  return NVML_SUCCESS;
}

/* A call that answers with one number, where the condition holds. */
#define NUMBER(function, condition, code, value)                \
  nvmlReturn_t function(nvmlDevice_t device, unsigned *found) { \
    BEGIN;                                                      \
    NEED(condition, code);                                      \
    *found = value;                                             \
    return NVML_SUCCESS;                                        \
  }

NUMBER(nvmlDeviceGetIndex, 1, NVML_SUCCESS, device.handle->gpu->index)
NUMBER(nvmlDeviceGetMinorNumber, !device.handle->instance, NVML_ERROR_INVALID_ARGUMENT, device.handle->gpu->index)

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  BEGIN;
  Instance *instance = device.handle->instance;
  memory->total = (instance ? instance->profile->mib : device.handle->gpu->mib) << 20;
  memory->used = 0;
  memory->free = memory->total;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *info) {
  BEGIN;
  Gpu *gpu = device.handle->gpu;
  memset(info, 0, sizeof *info);
  NEED(sscanf(gpu->bus, "%x:%x:%x", &info->domain, &info->bus, &info->device) == 3, NVML_ERROR_UNKNOWN);
  info->pciDeviceId = gpu->pci_id;
  info->pciSubSystemId = gpu->subsystem_id;
  snprintf(info->busId, sizeof info->busId, "%08X:%02X:%02X.0", info->domain, info->bus & 0xff, info->device & 0xff);
  snprintf(info->busIdLegacy, sizeof info->busIdLegacy, "%04X:%02X:%02X.0", info->domain & 0xffff, info->bus & 0xff,
           info->device & 0xff);
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, nvmlGpuFabricInfo_t *info) {
  (void)device, (void)info;
  return NVML_ERROR_NOT_SUPPORTED;
}

nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, nvmlGpuFabricInfoV_t *info) {
  (void)device, (void)info;
  return NVML_ERROR_NOT_SUPPORTED;
}

nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t one, nvmlDevice_t other, nvmlGpuTopologyLevel_t *level) {
  BEGIN;
  *level = one.handle->gpu == other.handle->gpu ? NVML_TOPOLOGY_INTERNAL : NVML_TOPOLOGY_SYSTEM;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned link, nvmlEnableState_t *state) {
  BEGIN;
  (void)device, (void)link;
  *state = NVML_FEATURE_DISABLED;
  return NVML_SUCCESS;
}

/* MIG */

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned *current, unsigned *pending) {
  BEGIN;
  NEED(device.handle->gpu->mig_capable && !device.handle->instance, NVML_ERROR_NOT_SUPPORTED);
  *current = *pending = device.handle->gpu->mig_mode;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned *count) {
  BEGIN;
  *count = 0;
  for (unsigned i = 0; i < device.handle->gpu->profiles; i++)
    if (device.handle->gpu->profile[i].most > *count) *count = device.handle->gpu->profile[i].most;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned index, nvmlDevice_t *found) {
  BEGIN;
  Gpu *gpu = device.handle->gpu;
  NEED(gpu->mig_capable, NVML_ERROR_NOT_SUPPORTED);
  NEED(index < gpu->instances, NVML_ERROR_NOT_FOUND);
  found->handle = &part[gpu->index][index];
  return NVML_SUCCESS;
}

NUMBER(nvmlDeviceIsMigDeviceHandle, 1, NVML_SUCCESS, device.handle->instance != NULL)

nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t device, nvmlDevice_t *parent) {
  BEGIN;
  NEED(device.handle->instance, NVML_ERROR_INVALID_ARGUMENT);
  parent->handle = &whole[device.handle->gpu->index];
  return NVML_SUCCESS;
}

NUMBER(nvmlDeviceGetGpuInstanceId, device.handle->instance, NVML_ERROR_NOT_SUPPORTED, device.handle->instance->id)
NUMBER(nvmlDeviceGetComputeInstanceId, device.handle->instance, NVML_ERROR_NOT_SUPPORTED, 0)

nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, nvmlDeviceAttributes_t *found) {
  BEGIN;
  NEED(device.handle->instance, NVML_ERROR_NOT_SUPPORTED);
  Profile *profile = device.handle->instance->profile;
  memset(found, 0, sizeof *found);
  found->multiprocessorCount = profile->multiprocessors;
  found->sharedCopyEngineCount = profile->copy;
  found->sharedDecoderCount = profile->decoders;
  found->sharedEncoderCount = profile->encoders;
  found->sharedJpegCount = profile->jpeg;
  found->sharedOfaCount = profile->ofa;
  found->gpuInstanceSliceCount = found->computeInstanceSliceCount = profile->slices;
  found->memorySizeMB = profile->mib;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfo(nvmlDevice_t device, unsigned number,
                                                 nvmlGpuInstanceProfileInfo_t *found) {
  BEGIN;
  NEED(number < NVML_GPU_INSTANCE_PROFILE_COUNT, NVML_ERROR_INVALID_ARGUMENT);
  Profile *profile = profile_by_number(device.handle->gpu, number);
  NEED(profile, NVML_ERROR_NOT_SUPPORTED);
  memset(found, 0, sizeof *found);
  found->id = profile->id;
  found->sliceCount = profile->slices;
  found->instanceCount = profile->most;
  found->multiprocessorCount = profile->multiprocessors;
  found->copyEngineCount = profile->copy;
  found->decoderCount = profile->decoders;
  found->encoderCount = profile->encoders;
  found->jpegCount = profile->jpeg;
  found->ofaCount = profile->ofa;
  found->memorySizeMB = profile->mib;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceById(nvmlDevice_t device, unsigned id, nvmlGpuInstance_t *found) {
  BEGIN;
  Gpu *gpu = device.handle->gpu;
  NEED(id >= 1 && id <= gpu->instances, NVML_ERROR_NOT_FOUND);
  found->handle = (void *)&gpu->instance[id - 1];
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstances(nvmlDevice_t device, unsigned profile, nvmlGpuInstance_t *found,
                                       unsigned *count) {
  BEGIN;
  Gpu *gpu = device.handle->gpu;
  *count = 0;
  for (unsigned i = 0; i < gpu->instances; i++)
    if (gpu->instance[i].profile->id == profile) found[(*count)++].handle = (void *)&gpu->instance[i];
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpuInstanceGetInfo(nvmlGpuInstance_t handle, nvmlGpuInstanceInfo_t *info) {
  BEGIN;
  Instance *instance = (Instance *)handle.handle;
  info->device.handle = &whole[instance->gpu->index];
  info->id = instance->id;
  info->profileId = instance->profile->id;
  info->placement.start = instance->start;
  info->placement.size = instance->size;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpuInstanceGetComputeInstanceProfileInfo(nvmlGpuInstance_t handle, unsigned number, unsigned engine,
                                                          nvmlComputeInstanceProfileInfo_t *found) {
  BEGIN;
  Profile *profile = ((Instance *)handle.handle)->profile;
  NEED(number < NVML_COMPUTE_INSTANCE_PROFILE_COUNT && !engine, NVML_ERROR_INVALID_ARGUMENT);
  NEED(number < COMPUTE_SIZES && compute_slices[number] <= profile->slices, NVML_ERROR_NOT_SUPPORTED);
  memset(found, 0, sizeof *found);
  found->id = number;
  found->sliceCount = compute_slices[number];
  found->instanceCount = profile->slices / compute_slices[number];
  found->multiprocessorCount = profile->multiprocessors * compute_slices[number] / profile->slices;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlGpuInstanceGetComputeInstanceById(nvmlGpuInstance_t handle, unsigned id,
                                                   nvmlComputeInstance_t *found) {
  BEGIN;
  NEED(id == 0, NVML_ERROR_NOT_FOUND);
  found->handle = (void *)handle.handle;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlComputeInstanceGetInfo_v2(nvmlComputeInstance_t handle, nvmlComputeInstanceInfo_t *info) {
  BEGIN;
  Instance *instance = (Instance *)handle.handle;
  info->device.handle = &whole[instance->gpu->index];
  info->gpuInstance.handle = (void *)instance;
  info->id = info->placement.start = 0;
  info->placement.size = instance->profile->slices;
  for (unsigned i = 0; i < COMPUTE_SIZES; i++)
    if (compute_slices[i] == instance->profile->slices) info->profileId = i;
  return NVML_SUCCESS;
}

/* Events: nothing ever goes wrong here */

nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
  BEGIN;
  set->handle = NULL;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlEventSetFree(nvmlEventSet_t set) {
  (void)set;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetSupportedEventTypes(nvmlDevice_t device, unsigned long long *types) {
  BEGIN;
  (void)device;
  *types = nvmlEventTypeXidCriticalError;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t set) {
  BEGIN;
  (void)device, (void)types, (void)set;
  return NVML_SUCCESS;
}

nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *event, unsigned milliseconds) {
  (void)set, (void)event;
  usleep(milliseconds * 1000);
  return NVML_ERROR_TIMEOUT;
}
