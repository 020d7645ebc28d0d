// fakekubelet stands in for the kubelet's device manager. It serves the socket at which device plugins register, follows
// each plugin's ListAndWatch and writes one JSON line for every answer: resource, capacity, allocatable. With
// -allocate RESOURCE=N it asks that plugin once for N devices and writes the answer.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	v1beta1 "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

var (
	folder   = flag.String("folder", v1beta1.DevicePluginPath, "folder of the sockets")
	allocate = flag.String("allocate", "", "RESOURCE=N to ask for once")
	output   sync.Mutex
)

type line struct {
	Resource    string   `json:"resource"`
	Capacity    int      `json:"capacity"`
	Allocatable int      `json:"allocatable"`
	Asked       []string `json:"asked,omitempty"`
	Error       string   `json:"error,omitempty"`
}

type registry struct {
	v1beta1.UnimplementedRegistrationServer
}

func (registry) Register(_ context.Context, request *v1beta1.RegisterRequest) (*v1beta1.Empty, error) {
	go follow(request)
	return &v1beta1.Empty{}, nil
}

func follow(request *v1beta1.RegisterRequest) {
	address := "unix://" + filepath.Join(*folder, request.Endpoint)
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	plugin := v1beta1.NewDevicePluginClient(connection)
	stream, err := plugin.ListAndWatch(context.Background(), &v1beta1.Empty{})
	if err != nil {
		log.Fatal(err)
	}
	for first := true; ; first = false {
		devices, err := stream.Recv()
		if err != nil { // the plugin is gone: the kubelet sets its resource to zero
			write(line{Resource: request.ResourceName})
			return
		}
		found := line{Resource: request.ResourceName, Capacity: len(devices.Devices)}
		healthy := []string{}
		for _, device := range devices.Devices {
			if device.Health == v1beta1.Healthy {
				healthy = append(healthy, device.ID)
			}
		}
		found.Allocatable = len(healthy)
		write(found)
		if first {
			ask(plugin, request.ResourceName, healthy)
		}
	}
}

func ask(plugin v1beta1.DevicePluginClient, resource string, healthy []string) {
	wanted, number, said := strings.Cut(*allocate, "=")
	if !said || wanted != resource {
		return
	}
	count, err := strconv.Atoi(number)
	if err != nil {
		log.Fatal(err)
	}
	found := line{Resource: resource, Asked: healthy[:min(count, len(healthy))]}
	_, err = plugin.Allocate(context.Background(), &v1beta1.AllocateRequest{
		ContainerRequests: []*v1beta1.ContainerAllocateRequest{{DevicesIds: found.Asked}},
	})
	if err != nil {
		found.Error = err.Error()
	}
	write(found)
}

func write(found line) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}

func main() {
	flag.Parse()
	listener, err := net.Listen("unix", filepath.Join(*folder, "kubelet.sock"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	v1beta1.RegisterRegistrationServer(server, registry{})
	log.Fatal(server.Serve(listener))
}
