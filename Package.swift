// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let fastC: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror", "-fno-math-errno"])]

let nio = "swift-nio"

let package = Package(
    name: "seqnorm",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "seqnorm", targets: ["SeqnormCLI"]),
        // For Benchmarks, a package of its own.
        .library(name: "Kernels", targets: ["Kernels", "TensorCore"]),
        .library(name: "Statistics", targets: ["Statistics", "TensorCore"]),
        // For Fuzzing, a package of its own.
        .library(name: "ModelTrial", targets: ["ModelTrial", "Inference", "ONNXGraph", "TensorCore"]),
        .library(name: "HTTPAPI", targets: ["HTTPAPI", "HTTPServer", "Inference", "TensorCore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CKernels", cSettings: fastC, linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "CSimdJSON",
            cxxSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .target(
            name: "TensorCore",
            dependencies: [.product(name: "NIOConcurrencyHelpers", package: nio)],
            swiftSettings: strict
        ),
        .target(
            name: "Kernels",
            dependencies: [
                "TensorCore", "CKernels", .product(name: "NIOConcurrencyHelpers", package: nio),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "ONNXGraph",
            dependencies: [
                "TensorCore", "COpenSSL", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protobuf/README.md", "Protobuf/onnx.proto"],
            swiftSettings: strict
        ),
        .target(
            name: "Inference",
            dependencies: [
                "ONNXGraph", "Kernels", "TensorCore",
                .product(name: "NIOConcurrencyHelpers", package: nio),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Verifying",
            dependencies: ["Inference", "ONNXGraph", "TensorCore"],
            swiftSettings: strict
        ),
        .target(name: "Drawing", dependencies: ["Inference", "ONNXGraph"], swiftSettings: strict),
        .target(
            name: "Safetensors",
            dependencies: ["TensorCore", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict
        ),
        .target(
            name: "Statistics",
            dependencies: ["TensorCore", "Kernels", "CKernels"],
            swiftSettings: strict
        ),
        .target(
            name: "Freezing",
            dependencies: [
                "Inference", "Verifying", "Statistics", "ONNXGraph", "Safetensors", "TensorCore",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Reporting",
            dependencies: ["Freezing", "Statistics", "TensorCore"],
            swiftSettings: strict
        ),
        .target(
            name: "Serving",
            dependencies: [
                "Inference", "Kernels", "ONNXGraph", "TensorCore",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOConcurrencyHelpers", package: nio),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Coding",
            dependencies: ["CZlib", .product(name: "NIOCore", package: nio)],
            swiftSettings: strict
        ),
        .target(
            name: "Telemetry",
            dependencies: [
                "Coding",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOConcurrencyHelpers", package: nio),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protobuf/README.md", "Protobuf/otlp.proto"],
            swiftSettings: strict
        ),
        .target(
            name: "HTTPServer",
            dependencies: [
                "COpenSSL", "Coding",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOConcurrencyHelpers", package: nio),
                .product(name: "NIOTLS", package: nio),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "HTTPAPI",
            dependencies: [
                "Serving", "HTTPServer", "Telemetry", "Inference", "TensorCore", "CSimdJSON",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOConcurrencyHelpers", package: nio),
            ],
            resources: [.embedInCode("Resources/openapi.yaml")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "SeqnormCLI",
            dependencies: [
                "TensorCore", "ONNXGraph", "Inference", "Serving", "HTTPServer", "HTTPAPI",
                "Telemetry", "Freezing", "Reporting", "Safetensors", "Statistics", "Verifying",
                "Drawing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOConcurrencyHelpers", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "TestSupport",
            dependencies: ["TensorCore", "Safetensors"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .testTarget(
            name: "TensorCoreTests",
            dependencies: ["TensorCore", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KernelsTests",
            dependencies: ["Kernels", "CKernels", "TensorCore"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ONNXGraphTests",
            dependencies: ["ONNXGraph", "TestSupport"],
            swiftSettings: strict
        ),
        .target(
            name: "ModelTrial",
            dependencies: ["Inference", "ONNXGraph", "TensorCore"],
            path: "Tests/ModelTrial",
            swiftSettings: strict
        ),
        .testTarget(
            name: "InferenceTests",
            dependencies: ["Inference", "Kernels", "ModelTrial", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Inference", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["manifest.txt"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SafetensorsTests",
            dependencies: ["Safetensors", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "StatisticsTests",
            dependencies: ["Statistics", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(name: "FreezingTests", dependencies: ["Freezing", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ReportingTests",
            dependencies: ["Reporting", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "VerifyingTests",
            dependencies: ["Verifying", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(name: "DrawingTests", dependencies: ["Drawing", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ServingTests",
            dependencies: ["Kernels", "Serving", "TestSupport"],
            swiftSettings: strict
        ),
        .target(
            name: "HTTPTestSupport",
            dependencies: [
                "HTTPServer",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOHTTP1", package: nio),
            ],
            path: "Tests/HTTPTestSupport",
            swiftSettings: strict
        ),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: [
                "HTTPServer", "HTTPTestSupport", "Coding",
                .product(name: "NIOEmbedded", package: nio),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "Telemetry", "HTTPServer", "HTTPTestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOConcurrencyHelpers", package: nio),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "HTTPAPI", "HTTPTestSupport", "Telemetry", "TestSupport",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SeqnormCLITests",
            dependencies: [
                "SeqnormCLI", "HTTPTestSupport", "Telemetry", "TestSupport",
                .product(name: "NIOConcurrencyHelpers", package: nio),
            ],
            swiftSettings: strict
        ),
    ]
)

// SEQNORM_TESTS=KernelsTests,StatisticsTests leaves these test targets and what they are built on: for sanitizers, which
// need everything built anew.
if let names = Context.environment["SEQNORM_TESTS"] {
    var kept: Set<String> = []
    var open = names.split(separator: ",").map(String.init)
    while let name = open.popLast() {
        guard kept.insert(name).inserted else { continue }
        for dependency in package.targets.first(where: { $0.name == name })?.dependencies ?? [] {
            if case .byNameItem(let name, _) = dependency { open.append(name) }
        }
    }
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
}
