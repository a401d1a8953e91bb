extension ModelError: CustomStringConvertible {
    /// One sentence that names the place and the rule.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(file) cannot be written: \(reason)"
        case .undecodable(let fault): "not an ONNX model: \(fault.description)"
        case .unencodable: "the model cannot be encoded; a model file holds less than 2 GiB"
        case .missingGraph: "the model has no graph"
        case .unsupportedIRVersion(let version, let supported):
            "IR version \(version) is outside the supported range "
                + "\(supported.lowerBound) to \(supported.upperBound)"
        case .unsupportedOpset(let version, let supported):
            "opset \(version) is outside the supported range \(supported.lowerBound) to \(supported.upperBound)"
        case .duplicateOpsetImport(let domain):
            "operator set '\(domain.isEmpty ? "ai.onnx" : domain)' is imported twice"
        case .missingOpsetImport(let domain, let path):
            "\(path): operator set '\(domain.isEmpty ? "ai.onnx" : domain)' is not imported by the model"
        case .nestedTooDeep(let path, let limit): "\(path): subgraphs are nested deeper than \(limit) levels"
        case .tooManyNodes(let path, let limit): "\(path): the model has more than \(limit) nodes"
        case .unsupportedFeature(let feature, let path): "\(path): \(feature) is not supported"
        case .missingOperatorType(let path): "\(path): the node has no operator type"
        case .missingValueName(let graph): "\(graph): an input, output or initializer has no name"
        case .duplicateValue(let name, let path): "\(path): value '\(name)' is made twice"
        case .duplicateInitializer(let name, let graph): "\(graph): initializer '\(name)' stands twice"
        case .initializerIsNoInput(let name, let graph):
            "\(graph): initializer '\(name)' is no graph input, which IR version 3 demands"
        case .undefinedValue(let name, let path): "\(path): input '\(name)' is made by nothing"
        case .usedBeforeMade(let name, let path, let maker):
            "\(path): input '\(name)' is made by \(maker), which does not come before; "
                + "the nodes are out of order or form a cycle"
        case .undefinedOutput(let name, let graph):
            "\(graph): output '\(name)' is made by nothing in the graph"
        case .invalidAttribute(let name, let path, let fault):
            "\(path): attribute '\(name)' \(fault.description)"
        case .missingFunctionName(let index): "function \(index) has no name"
        case .duplicateFunction(let name): "function \(name) stands twice"
        case .recursiveFunction(let name): "function \(name) calls itself"
        case .functionsNestedTooDeep(let name, let limit):
            "the calls of function \(name) are nested deeper than \(limit) levels"
        case .functionSignature(let function, let inputs, let outputs, let path):
            "\(path): function \(function) has \(inputs) inputs and \(outputs) outputs, and is called with more"
        case .inlinedTooLarge(let limit, let path):
            "\(path): with the nodes of its functions the model is over the limit of \(limit) bytes"
        case .invalidTensor(let name, let fault): "tensor '\(name)' \(fault.description)"
        case .externalDataLeftBehind(let file):
            "\(file): the model keeps tensors in external files beside the file it was read from; "
                + "write it there, or take the tensors in first"
        case .unknownValue(let name, let graph): "\(graph): no node makes value '\(name)'"
        case .unknownPath(let path): "the model has no node or subgraph at \(path)"
        case .notExposable(let type, let path):
            "\(path): values inside \(type) cannot be exposed, only those inside Scan and Loop"
        }
    }
}

extension DecodingFault: CustomStringConvertible {
    /// What is wrong with the bytes.
    public var description: String {
        switch self {
        case .empty: "there are no bytes"
        case .truncated: "the bytes end in the middle of a field"
        case .malformed: "the bytes are not a protobuf message"
        case .invalidUTF8: "a string is not UTF-8"
        case .nestedTooDeep: "messages are nested too deep"
        }
    }
}

extension AttributeFault: CustomStringConvertible {
    /// What is wrong, to be read after the attribute's name.
    public var description: String {
        switch self {
        case .missingName: "has no name"
        case .duplicate: "stands twice"
        case .missingType: "has no type"
        case .unknownType(let type): "has the unknown type \(type)"
        case .typeMismatch(let declared): "is declared as \(declared) but holds something else"
        case .referenceOutsideFunction: "refers to a function's attribute outside of a function"
        case .unknownReference(let name): "refers to '\(name)', which the function does not have"
        case .unknownToFunction: "is none of the function's"
        }
    }
}
